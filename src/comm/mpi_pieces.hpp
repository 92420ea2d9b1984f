#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mpi_call.hpp"

namespace polyhead::comm {

/// Starts an all-gather of blocks of any size, in pieces of at most `largest` bytes.
std::vector<MPI_Request> start_gather_pieces(MPI_Comm communicator, std::span<const std::byte> mine,
                                             std::span<std::byte> all, std::size_t largest);

/// Starts a reduce-scatter of sums, in pieces of at most `largest` bytes.
std::vector<MPI_Request> start_scatter_pieces(MPI_Comm communicator, std::span<const std::int64_t> all,
                                              std::span<std::int64_t> mine, std::size_t largest);

/// Starts an all-to-all, in pieces of at most `largest` bytes: block r of `blocks` goes to rank r, which
/// sends `sizes[r]` bytes.
std::vector<MPI_Request> start_all_to_all_pieces(MPI_Comm communicator, int rank,
                                                 std::span<const std::byte> blocks,
                                                 std::span<std::byte> received,
                                                 std::span<const std::size_t> sizes, std::size_t largest);

}  // namespace polyhead::comm
