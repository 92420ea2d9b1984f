#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "device_assignment.hpp"
#include "polyhead/comm/group.hpp"
#include "polyhead/plan/grid.hpp"
#include "polyhead/plan/threads.hpp"
#include "polyhead/run/inputs.hpp"

/// Log messages of rank 0 before the work begins.
namespace polyhead::run {

/// Announces the job, the costs of reading, the engine, and the carriers of exchange and weights. `depth`:
/// micro-batches that a rank reads ahead.
void announce(const Inputs& inputs, const std::vector<plan::RankCores>& cores, plan::Grid grid,
              const model::DeviceAssignment& assignment, int workers, std::int64_t depth,
              const comm::Group& group);

/// Reasons of all ranks, which rank 0 reports at once. Collective.
std::string announce_unused_gpus(comm::Collectives& world, const std::string& host, const std::string& mine);

}  // namespace polyhead::run
