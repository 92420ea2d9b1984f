#pragma once

#include <cstddef>
#include <numeric>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"

namespace polyhead::comm {

/// Throws Error(internal) unless `all` is `ranks` blocks as large as `mine`: MPI and NCCL would write past
/// the end.
inline void check_blocks(std::string_view call, std::size_t mine, std::size_t all, int ranks) {
  if (all == mine * static_cast<std::size_t>(ranks)) return;
  throw Error(ExitCode::internal,
              fmt::format("{}: {} ranks with {} values each, but room for {}", call, ranks, mine, all));
}

/// Throws Error(internal) unless there is a size for each rank and room for all blocks.
inline void check_all_to_all(std::size_t blocks, std::size_t received, std::span<const std::size_t> sizes,
                             int rank, int ranks) {
  const bool whole = sizes.size() == static_cast<std::size_t>(ranks);
  if (whole && blocks == sizes[static_cast<std::size_t>(rank)] * sizes.size() &&
      received == std::accumulate(sizes.begin(), sizes.end(), std::size_t{0})) {
    return;
  }
  throw Error(ExitCode::internal,
              fmt::format("all-to-all: {} sizes for {} ranks, {} bytes to give and room for {}", sizes.size(),
                          ranks, blocks, received));
}

}  // namespace polyhead::comm
