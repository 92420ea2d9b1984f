#pragma once

#include <string>

#include "polyhead/comm/group.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/plan/grid.hpp"

namespace polyhead::run {

/// Ranks with which this one shares the heads, on the back end that `comm.backend` and the ranks' GPUs allow.
/// Collective over the world; surplus ranks are in no group. Throws what `comm::make_group` throws.
comm::Group join_group(comm::MpiEnvironment& mpi, const config::Comm& options, plan::Grid grid,
                       const model::DeviceAssignment& assignment);

/// Whether a rank of the world computes on a GPU.
bool any_gpu(const comm::Group& group);

/// Text "ranks exchange over NCCL: each rank has a GPU of its own".
std::string describe_exchange(const comm::Group& group);

}  // namespace polyhead::run
