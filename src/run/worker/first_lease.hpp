#pragma once

#include <chrono>
#include <vector>

#include "polyhead/comm/channel.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/loader.hpp"
#include "polyhead/plan/grid.hpp"
#include "polyhead/plan/lease.hpp"
#include "polyhead/plan/micro_batches.hpp"
#include "run/protocol/lease_message.hpp"

namespace polyhead::run {

/// The first leases of a job, which rank 0 hands out while the job is still being set up: their images are
/// read and decoded while weights travel and models are made.
struct FirstLease {
  plan::Grid grid;
  plan::MicroBatches batches;
  bool all_read = false;              ///< every rank of a group reads all of a lease
  std::chrono::milliseconds limit{};  ///< for rank 0's word
  std::vector<plan::Lease> work;      ///< what is to be computed; on rank 0, as the coordinator will have it
  FindSamples find;                   ///< on rank 0
};

/// With cached features ranks first learn from the coordinator what they need not read.
inline bool opens_early(const config::Output& output) {
  return output.cache == config::Cache::none;
}

/// Every rank must call it. Asks `loader` for what this rank reads of its group's first lease, which is
/// returned: of count 0 for a surplus rank, whose loader may be none, and for a group without work. A message
/// goes to each rank of the grid, with the places of its own samples only. Throws Error(unavailable) when
/// rank 0 says nothing.
plan::Lease hand_out_first_lease(comm::Channel& to_ranks, int rank, const FirstLease& first_lease,
                                 data::Loader* loader);

}  // namespace polyhead::run
