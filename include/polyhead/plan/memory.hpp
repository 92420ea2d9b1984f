#pragma once

#include <cstdint>

#include "polyhead/config/config.hpp"
#include "polyhead/plan/grid.hpp"
#include "polyhead/plan/topology.hpp"
#include "polyhead/plan/workload.hpp"

namespace polyhead::plan {

/// Bytes that a rank needs at its worst moment, by purpose.
struct MemoryUse {
  std::int64_t process = 0;   ///< program, libraries and, on a GPU, its context
  std::int64_t backbone = 0;  ///< weights; for weights shared on a node, the rank's part
  std::int64_t heads =
      0;  ///< weights of the rank's heads; on rank 0 also the weights that it reads at the start
  std::int64_t activations = 0;  ///< activations of one micro-batch
  std::int64_t exchange = 0;     ///< features, scores and sums under way
  std::int64_t loader = 0;       ///< micro-batches decoded ahead, and the decoding threads
  /// Additional bytes at the very worst, for samples as large as the limits of `data` allow. Not in `total`:
  /// there may never be any, and a plan for ordinary photographs must not give up ranks for them.
  std::int64_t large_samples = 0;

  [[nodiscard]] std::int64_t total() const {
    return process + backbone + heads + activations + exchange + loader;
  }
};

/// Memory that a rank needs on its GPU (all 0 without one) and on its host.
struct RankMemory {
  MemoryUse gpu;
  MemoryUse host;
};

/// Memory of the rank with heads `heads` in a group of `grid.heads`. `first`: it is rank 0, which at the
/// start holds the weights of all heads.
RankMemory memory_of(const Workload& workload, const Topology& topology, const Grid& grid,
                     config::Features features, HeadRange heads, bool first);

/// Memory that a rank may use: all of its GPU, and its share of the host.
struct MemoryLimits {
  std::int64_t gpu = 0;   ///< 0: no GPU, no limit
  std::int64_t host = 0;  ///< 0: not known, no limit
};

MemoryLimits limits_of(const Topology& topology);
bool fits(const RankMemory& memory, const MemoryLimits& limits);

/// Number of samples in the largest micro-batch that is tried.
inline constexpr std::int64_t kMaxBatch = 4096;

/// Largest number of samples in a micro-batch, up to `kMaxBatch`, with which every rank fits; 0 when none
/// does. The exact form of the rule total / (base + largest variant x instances).
std::int64_t largest_batch(Workload workload, const Topology& topology, const Grid& grid,
                           config::Features features);

}  // namespace polyhead::plan
