#pragma once

#include <cstddef>
#include <span>

#include "polyhead/comm/channel.hpp"
#include "polyhead/run/messages.hpp"

namespace polyhead::run {

/// Sends a message to the coordinator, which is on rank 0.
inline void tell(comm::Channel& channel, ToCoordinator tag, std::span<const std::byte> bytes = {}) {
  channel.send(0, static_cast<int>(tag), bytes);
}

}  // namespace polyhead::run
