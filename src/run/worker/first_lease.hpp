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

/// First leases of a job, which rank 0 hands out while the job is still being set up. Their images are read
/// and decoded while weights travel and models are made.
struct FirstLease {
  plan::Grid grid;
  plan::MicroBatches batches;
  bool all_read = false;              ///< whether every rank of a group reads all of a lease
  std::chrono::milliseconds limit{};  ///< time limit for rank 0's message
  std::vector<plan::Lease> work;      ///< work to compute; on rank 0, as the coordinator will have it
  FindSamples find;                   ///< set on rank 0
};

/// Whether leases go out early. With cached features, ranks first learn from the coordinator what they need
/// not read.
inline bool opens_early(const config::Output& output) {
  return output.cache == config::Cache::none;
}

/// Hands out the first lease; every rank must call it. Asks `loader` for what this rank reads of its group's
/// first lease, and returns the lease. Its count is 0 for a surplus rank, whose loader may be null, and for a
/// group without work. Each rank of the grid gets a message with the places of its own samples only. Throws
/// Error(unavailable) when rank 0 sends nothing.
plan::Lease hand_out_first_lease(comm::Channel& to_ranks, int rank, const FirstLease& first_lease,
                                 data::Loader* loader);

}  // namespace polyhead::run
