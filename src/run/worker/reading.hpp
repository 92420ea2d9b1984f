#pragma once

#include <memory>
#include <string>
#include <vector>

#include "polyhead/comm/channel.hpp"
#include "polyhead/comm/collectives.hpp"
#include "polyhead/data/loader.hpp"
#include "polyhead/plan/grid.hpp"
#include "polyhead/plan/lease.hpp"
#include "polyhead/run/inputs.hpp"
#include "run/setup/device_assignment.hpp"
#include "worker.hpp"

namespace polyhead::run {

/// A rank's loader of images, and its first work.
struct Reading {
  std::unique_ptr<data::Loader> loader;  ///< null on a surplus rank
  GroupMembership place;
};

/// Begins to read images while the rest is set up. `work`: on rank 0, what is to be computed. Collective.
Reading begin_to_read(comm::Collectives& world, const std::string& host, comm::Channel& to_ranks,
                      Inputs& inputs, plan::Grid grid, std::vector<plan::Lease> work,
                      const model::DeviceAssignment& assignment);

}  // namespace polyhead::run
