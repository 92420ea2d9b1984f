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

/// A rank's place among those that share its leases, and what it begins with.
struct GroupMembership {
  int heads = 1;           ///< H, ranks of its group
  int member = 0;          ///< its number among them; 0 leads, and asks for the group's leases
  bool reads_all = false;  ///< reads every micro-batch, not only those that it owns
  /// Its group's first lease, whose data the loader was asked for; count 0: none yet.
  plan::Lease first_lease = {};
};

/// What a rank writes to the result file itself, beside the coordinator.
struct PageWriting {
  store::PageWriter* writer = nullptr;    ///< none: the coordinator writes all rows
  std::chrono::milliseconds interval{0};  ///< what is written goes to the disk at least so often
};

/// How a rank and the coordinator deal with each other.
struct LinkOptions {
  std::chrono::milliseconds timeout{60000};  ///< `comm.timeout`: who is silent for so long is lost
  /// Called from another thread when the coordinator is: the rank itself may wait elsewhere.
  std::function<void(const Error&)> coordinator_lost = [](const Error&) {};
  /// Whether this rank was told to stop; called from another thread.
  std::function<StopRequest()> asked = stop_asked;
};

/// What a rank did.
struct WorkerFigures {
  double seconds_computing = 0;
  double seconds_waiting = 0;  ///< for data
  double seconds_reading = 0;  ///< reading and decoding, the loader's threads added up
  std::int64_t batches = 0;
};

/// A rank at work: takes its group's leases from the coordinator until there are none, and sends the rows of
/// each micro-batch that it owns as soon as they are there. The next lease is asked for when the last step of
/// the present one begins, so that its data are read meanwhile. A thread beside it tells the coordinator that
/// the rank is alive, and that it was told to stop. When the coordinator says so, the rank leaves the rest of
/// its lease. An error is sent to the coordinator, then thrown.
WorkerFigures work(comm::Channel& to_coordinator, comm::Channel& from_coordinator, data::Loader& loader,
                   StepComputer& computer, const GroupMembership& place, const LinkOptions& link_options,
                   const PageWriting& own = {});

/// A surplus rank: says that it is alive until the others have finished.
void idle_until_dismissed(comm::Channel& to_coordinator, comm::Channel& from_coordinator,
                          const LinkOptions& link_options);

}  // namespace polyhead::run
