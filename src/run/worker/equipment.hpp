#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "group_pipeline.hpp"
#include "polyhead/comm/group.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/plan/grid.hpp"
#include "polyhead/plan/threads.hpp"
#include "polyhead/run/identity.hpp"
#include "polyhead/run/inputs.hpp"

namespace polyhead::run {

/// Equipment with which a rank of the grid computes.
struct Equipment {
  std::unique_ptr<model::Model> model;
  std::int64_t classes = 0;
  std::int64_t feature_width = 0;
  bool on_gpu = false;
  std::unique_ptr<GroupPipeline> pipeline;
};

/// Weights of this rank, over whatever carries them; the carrier is gone on return. Collective.
model::Weights bring_weights(comm::Collectives& world, const std::string& host, comm::Group& group,
                             const model::DeviceAssignment& assignment, Inputs& inputs,
                             const std::vector<plan::HeadRange>& heads, int member);

/// Equips the rank. Every rank of the world must call it; surplus ranks, which are in no group, get nothing.
/// `hosts`: of ranks that compute. `weights`: this rank's.
Equipment equip(comm::Collectives& world, const std::string& host, const comm::Group& group,
                const Inputs& inputs, const std::vector<std::string>& hosts,
                const std::vector<plan::HeadRange>& heads, model::Weights weights,
                const model::DeviceAssignment& assignment);

/// Compares the bits of a first micro-batch among GPUs, whose libraries choose algorithms while they run. The
/// bits of CPUs do not depend on such choices. Collective.
void agree_on_first_bits(comm::Collectives& world, const std::string& host, const Equipment& rank,
                         const Inputs& inputs, const std::vector<plan::HeadRange>& heads, int member,
                         const Fingerprint& fingerprint, const std::vector<plan::RankCores>& cores);

}  // namespace polyhead::run
