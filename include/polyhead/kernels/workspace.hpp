#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "polyhead/base/page_buffer.hpp"
#include "polyhead/base/team.hpp"

namespace polyhead::kernels {

/// Floats of a thread's transformed tiles, before and after the product.
struct ScratchSize {
  std::size_t inputs = 0;
  std::size_t sums = 0;
};

/// What one caller computes with: its threads and their scratch memory. Layers keep no state of their own, so
/// callers with a workspace each may share them.
class Workspace {
 public:
  explicit Workspace(int threads) : team_(threads), scratch_(static_cast<std::size_t>(threads)) {}

  struct Scratch {
    PageBuffer inputs;
    PageBuffer sums;
  };

  [[nodiscard]] Team& team() { return team_; }
  [[nodiscard]] Scratch& scratch(int thread) { return scratch_[static_cast<std::size_t>(thread)]; }
  /// Makes room in every thread's scratch. Throws std::bad_alloc.
  void reserve(const ScratchSize& size) {
    for (Scratch& scratch : scratch_) {
      scratch.inputs.at_least(size.inputs);
      scratch.sums.at_least(size.sums);
    }
  }

 private:
  Team team_;
  std::vector<Scratch> scratch_;
};

}  // namespace polyhead::kernels
