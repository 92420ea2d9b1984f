#pragma once

#include <cstddef>
#include <vector>

#include "polyhead/base/page_buffer.hpp"
#include "polyhead/base/team.hpp"

namespace polyhead::kernels {

/// Resources of one caller: its threads and their scratch memory, for transformed tiles before and after the
/// product. Layers keep no state of their own, so callers with a workspace each may share them.
class Workspace {
 public:
  explicit Workspace(int threads) : team_(threads), scratch_(static_cast<std::size_t>(threads)) {}

  [[nodiscard]] Team& team() { return team_; }
  [[nodiscard]] float* scratch(int thread) { return scratch_[static_cast<std::size_t>(thread)].data(); }
  /// Makes room for `size` floats in every thread's scratch. Throws std::bad_alloc.
  void reserve(std::size_t size) {
    for (PageBuffer& scratch : scratch_) scratch.at_least(size);
  }

 private:
  Team team_;
  std::vector<PageBuffer> scratch_;
};

}  // namespace polyhead::kernels
