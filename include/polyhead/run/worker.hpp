#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "polyhead/comm/channel.hpp"
#include "polyhead/data/loader.hpp"
#include "polyhead/plan/lease.hpp"
#include "polyhead/store/rows.hpp"

namespace polyhead::run {

/// Computes one micro-batch: from pixels to finished rows.
using Compute = std::function<store::Rows(const data::Batch& batch)>;

/// What a rank did.
struct WorkerFigures {
  double seconds_computing = 0;
  double seconds_waiting = 0;  ///< for data
  double seconds_reading = 0;  ///< reading and decoding, the loader's threads added up
  std::int64_t batches = 0;
};

/// A rank at work: takes leases from the coordinator until there are none, and sends the rows of each
/// micro-batch as soon as they are there. The next lease is asked for when the last micro-batch of the
/// present one begins, so that its data are read meanwhile. A thread beside it tells the coordinator that the
/// rank is alive. An error is sent to the coordinator, then thrown. `timeout`: how long the coordinator may
/// take to answer.
WorkerFigures work(comm::Channel& to_coordinator, comm::Channel& from_coordinator, data::Loader& loader,
                   const Compute& compute, std::chrono::milliseconds timeout);

}  // namespace polyhead::run
