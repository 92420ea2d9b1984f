#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "polyhead/base/error.hpp"
#include "polyhead/base/stop.hpp"
#include "polyhead/comm/channel.hpp"
#include "polyhead/data/loader.hpp"
#include "polyhead/plan/lease.hpp"
#include "polyhead/store/page_writer.hpp"
#include "step_computer.hpp"

namespace polyhead::run {

/// A rank's place among those that share its leases, and its first work.
struct GroupMembership {
  int heads = 1;           ///< H, ranks of its group
  int member = 0;          ///< number among them; 0 leads, and asks for the group's leases
  bool reads_all = false;  ///< whether it reads every micro-batch, not only those that it owns
  /// First lease of its group, whose data the loader was asked for; count 0: none yet.
  plan::Lease first_lease = {};
};

/// A rank's own writing to the result file, beside the coordinator.
struct PageWriting {
  store::PageWriter* writer = nullptr;    ///< null: the coordinator writes all rows
  std::chrono::milliseconds interval{0};  ///< longest time before written rows are synced to the disk
};

/// Settings of the link between a rank and the coordinator.
struct LinkOptions {
  std::chrono::milliseconds timeout{60000};  ///< `comm.timeout`: silence that means lost
  /// Called from another thread when the coordinator is lost: the rank itself may wait elsewhere.
  std::function<void(const Error&)> coordinator_lost = [](const Error&) {};
  /// Whether this rank was told to stop; called from another thread.
  std::function<StopRequest()> asked = stop_asked;
};

/// Figures of a rank's work.
struct WorkerFigures {
  double seconds_computing = 0;
  double seconds_waiting = 0;  ///< seconds of waiting for data
  double seconds_reading = 0;  ///< seconds of reading and decoding, summed over the loader's threads
  std::int64_t batches = 0;
};

/// Runs a rank: takes its group's leases from the coordinator until there are none, and sends the rows of
/// each owned micro-batch as soon as they are finished. Asks for the next lease when the last step of the
/// present one begins, so that its data are read meanwhile. A thread beside it tells the coordinator that the
/// rank is alive, and that it was told to stop. When the coordinator says so, the rank leaves the rest of its
/// lease. An error is sent to the coordinator, then thrown.
WorkerFigures work(comm::Channel& to_coordinator, comm::Channel& from_coordinator, data::Loader& loader,
                   StepComputer& computer, const GroupMembership& place, const LinkOptions& link_options,
                   const PageWriting& own = {});

/// Runs a surplus rank: reports that it is alive until the others have finished.
void idle_until_dismissed(comm::Channel& to_coordinator, comm::Channel& from_coordinator,
                          const LinkOptions& link_options);

}  // namespace polyhead::run
