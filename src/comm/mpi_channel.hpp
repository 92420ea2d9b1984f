#pragma once

#include <chrono>
#include <memory>

#include "mpi_call.hpp"
#include "polyhead/comm/channel.hpp"

namespace polyhead::comm {

std::unique_ptr<Channel> make_mpi_channel(Communicator communicator, std::chrono::milliseconds timeout);

}  // namespace polyhead::comm
