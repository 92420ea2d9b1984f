#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "mpi_call.hpp"
#include "polyhead/comm/collectives.hpp"

namespace polyhead::comm {

/// Collectives over `communicator`. Data larger than `largest_piece` bytes travel in pieces: MPI counts are
/// int.
std::unique_ptr<Collectives> make_mpi_collectives(Communicator communicator,
                                                  std::chrono::milliseconds timeout,
                                                  std::size_t largest_piece);

}  // namespace polyhead::comm
