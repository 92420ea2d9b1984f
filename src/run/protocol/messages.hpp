#pragma once

#include <cstdint>
#include <string>

#include "polyhead/base/error.hpp"

/// What ranks and coordinator say to each other while a job runs. Two channels: `to_coordinator` (every rank
/// to rank 0) and `to_ranks` (rank 0 to every rank).
namespace polyhead::run {

/// Peers in an exchange may be slow, and the coordinator may wait for a disk before it takes rows: that is
/// borne this many times `comm.timeout`. Who is lost is found sooner, by its silence: ranks by the
/// coordinator, and rank 0 by the ranks, within `comm.timeout`.
inline constexpr int kPatience = 10;

/// Tags on `to_coordinator`.
enum class ToCoordinator : int {
  request = 1,  ///< empty: wants a lease for its group; from group leaders
  rows,         ///< store::Rows of one finished micro-batch, or the rest that the rank has not written itself
  features,     ///< store::Features of one micro-batch, before its rows, for the cache
  synced,     ///< micro-batches (an array of int64): what the rank has written itself of them is on the disk
  heartbeat,  ///< empty: alive, busy
  failure,    ///< `Failure`: this rank cannot go on
  stop,       ///< `StopRequest`: a signal has reached this rank
  farewell,   ///< empty: has no work left and sends nothing more
};

/// Tags on `to_ranks`.
enum class ToRank : int {
  lease_message = 1,  ///< plan::Lease (count 0: nothing left), the locations of the samples that this rank
                      ///< reads, and store::Features of those of its micro-batches that are in the cache. The
                      ///< first may come while the job is still set up, without being asked for
  alive,              ///< empty: the coordinator is there, have patience
  stop,               ///< empty: begin nothing that is not under way
};

/// Why a rank cannot go on.
struct Failure {
  ExitCode code = ExitCode::internal;
  std::string message;
};

}  // namespace polyhead::run
