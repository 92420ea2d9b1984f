#pragma once

#include <cstddef>
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

}  // namespace polyhead::comm
