#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "polyhead/config/config.hpp"
#include "polyhead/plan/grid.hpp"
#include "polyhead/plan/topology.hpp"
#include "polyhead/plan/workload.hpp"

namespace polyhead::plan {

/// Seconds that a rank takes for one step of its group: H micro-batches, each owned by one rank.
struct StepTime {
  double reading = 0;  ///< reading and decoding, by the rank's threads together
  double backbone = 0;
  double heads = 0;     ///< heads of the rank whose heads take longest
  double fusing = 0;    ///< scores to exact sums
  double exchange = 0;  ///< features and sums; overlaps with computing
  double total = 0;
};

/// Part of the work that limits a run's speed.
enum class Bottleneck { reading, backbone, heads, exchange, rank0 };

/// "reading images", "the backbone", ...
std::string_view name(Bottleneck bottleneck);

struct Estimate {
  StepTime step;
  std::int64_t steps = 0;  ///< steps of the group that has most
  double working = 0;      ///< seconds from the first lease to the last row
  double setting_up = 0;   ///< seconds before the first lease; the first images are read meanwhile
  double efficiency = 0;   ///< ideal / predicted working time; ideal: one rank's work divided by all ranks
  Bottleneck bottleneck = Bottleneck::backbone;

  [[nodiscard]] double seconds() const { return setting_up + working; }
};

/// Seconds that heads `range` take for one micro-batch.
double head_seconds(const Workload& workload, const Processor& processor, HeadRange range);

/// Time of one step. `heads`: those of each member of a group (`split_heads`).
StepTime step_time(const Workload& workload, const Topology& topology, const Grid& grid,
                   config::Features features, const std::vector<HeadRange>& heads);

/// Time and efficiency of a whole job.
Estimate estimate(const Workload& workload, const Topology& topology, const Grid& grid,
                  config::Features features, const std::vector<HeadRange>& heads);

}  // namespace polyhead::plan
