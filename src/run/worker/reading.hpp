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

/// What a rank reads images with, and what it begins with.
struct Reading {
  std::unique_ptr<data::Loader> loader;  ///< none on a surplus rank
  GroupMembership place;
};

/// From now on images are read, while the rest is set up. Collective. `work`: on rank 0, what is to be
/// computed.
Reading begin_to_read(comm::Collectives& world, const std::string& host, comm::Channel& to_ranks,
                      Inputs& inputs, plan::Grid grid, std::vector<plan::Lease> work,
                      const model::DeviceAssignment& assignment);

}  // namespace polyhead::run
