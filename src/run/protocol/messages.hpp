#pragma once

#include <cstdint>
#include <string>

#include "polyhead/base/error.hpp"

/// Messages between ranks and coordinator while a job runs. Two channels: `to_coordinator` (every rank to
/// rank 0) and `to_ranks` (rank 0 to every rank).
namespace polyhead::run {

/// Longest wait, in multiples of `comm.timeout`, for slow peers in an exchange and for a coordinator whose
/// disk is slow. A lost process is found sooner, within `comm.timeout`, by its silence. The coordinator
/// judges the ranks, and the ranks judge rank 0.
inline constexpr int kPatience = 10;

/// Tags on `to_coordinator`.
enum class ToCoordinator : int {
  request = 1,  ///< empty: a group leader asks for a lease for its group
  rows,         ///< store::Rows of one finished micro-batch, or the part that the rank has not written itself
  features,     ///< store::Features of one micro-batch, before its rows, for the cache
  synced,       ///< micro-batches (an array of int64) whose self-written parts are on the disk
  heartbeat,    ///< empty: the rank is alive and busy
  failure,      ///< `Failure`: the rank cannot continue
  stop,         ///< `StopRequest`: a signal has reached the rank
  farewell,     ///< empty: the rank has no work left and sends nothing more
};

/// Tags on `to_ranks`.
enum class ToRank : int {
  lease_message = 1,  ///< plan::Lease (count 0: no more work), the locations of the samples that this rank
                      ///< reads, and store::Features of those of its micro-batches that are in the cache. The
                      ///< first one may come unasked while the job is set up
  alive,              ///< empty: the coordinator is alive; keep waiting
  stop,               ///< empty: begin no further work
};

/// Reason why a rank cannot continue.
struct Failure {
  ExitCode code = ExitCode::internal;
  std::string message;
};

}  // namespace polyhead::run
