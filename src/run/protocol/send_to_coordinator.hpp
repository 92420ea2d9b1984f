#pragma once

#include <cstddef>
#include <span>

#include "messages.hpp"
#include "polyhead/comm/channel.hpp"

namespace polyhead::run {

/// Sends a message to the coordinator, which is on rank 0.
inline void send_to_coordinator(comm::Channel& channel, ToCoordinator tag,
                                std::span<const std::byte> bytes = {}) {
  channel.send(0, static_cast<int>(tag), bytes);
}

}  // namespace polyhead::run
