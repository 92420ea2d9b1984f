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

/// Division of a run's work among the ranks, equal on all ranks.
struct RunPlan {
  plan::Grid grid;
  std::vector<plan::HeadRange> heads;  ///< heads of each member of a group
  std::int64_t batch = 0;              ///< samples per micro-batch
};

/// Plans the job on rank 0, as `polyhead plan` does without --measure, logs the choices with reasons, and
/// tells all ranks. The `cores` of every rank and rank 0's own `assignment` describe the machines to rank 0;
/// the arguments of other ranks do not count. `reading`: the data set's facts about the memory that reading
/// takes. Collective. Throws AgreedError(config) on all ranks when the requested grid has more ranks than
/// there are.
RunPlan agree_on_run_plan(comm::Collectives& world, const config::Config& config,
                          const data::DatasetShape& shape, const std::vector<plan::RankCores>& cores,
                          const model::DeviceAssignment& assignment, const image::ReadingMemory& reading = {},
                          const graph::Ensemble* members = nullptr);

}  // namespace polyhead::run
