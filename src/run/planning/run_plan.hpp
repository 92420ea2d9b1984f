#pragma once

#include <cstdint>
#include <vector>

#include "polyhead/comm/collectives.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/memory.hpp"
#include "polyhead/data/reader.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/plan/grid.hpp"
#include "polyhead/plan/threads.hpp"

namespace polyhead::run {

/// Who computes what in a run, the same on all ranks.
struct RunPlan {
  plan::Grid grid;
  std::vector<plan::HeadRange> heads;  ///< of each member of a group
  std::int64_t batch = 0;              ///< samples in a micro-batch
};

/// Plans the job on rank 0, as `polyhead plan` does without --measure, logs what was chosen and why, and
/// tells all ranks. `cores` of every rank and its own `assignment` describe the machines to rank 0; what
/// others give does not count. `reading`: what the data set tells rank 0 of the memory that reading takes.
/// Collective. Throws AgreedError(config) on all ranks when the grid asked for has more ranks than there are.
RunPlan agree_on_run_plan(comm::Collectives& world, const config::Config& config,
                          const data::DatasetShape& shape, const std::vector<plan::RankCores>& cores,
                          const model::DeviceAssignment& assignment,
                          const image::ReadingMemory& reading = {});

}  // namespace polyhead::run
