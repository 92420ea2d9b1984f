#include "worker.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "coordinator_link.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/trace.hpp"
#include "polyhead/base/wire.hpp"
#include "row_sender.hpp"
#include "run/protocol/messages.hpp"
#include "run/protocol/send_to_coordinator.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Worker {
 public:
  Worker(comm::Channel& to, comm::Channel& from, data::Loader& loader, StepComputer& computer,
         const GroupMembership& place, const LinkOptions& link_options, const PageWriting& own)
      : link_(to, from, link_options),
        rows_(to, own),
        loader_(loader),
        computer_(computer),
        place_(place),
        read_before_(loader.figures().seconds_reading) {}

  WorkerFigures run() {
    for (plan::Lease lease = first(); lease.count > 0 && !computer_.stopped();) {
      const plan::Steps steps(lease, place_.heads);
      for (std::int64_t i = 0; i < steps.count() && !computer_.stopped(); ++i) {
        if (i + 1 == steps.count()) lease = take();
        compute(steps[i]);
      }
    }
    timed([&] { computer_.drain(deliver_); });
    rows_.finish();
    figures_.seconds_waiting = loader_.figures().seconds_waited;
    figures_.seconds_reading = loader_.figures().seconds_reading - read_before_;
    return figures_;
  }

 private:
  plan::Lease first() { return place_.first_lease.count > 0 ? place_.first_lease : take(); }

  /// Takes the group's next lease; its data are read from now on.
  plan::Lease take() {
    if (place_.member == 0) link_.ask();
    LeaseMessage lease_message = await();
    request(lease_message);
    return lease_message.lease;
  }

  LeaseMessage await() {
    const trace::Span span("wait for a lease");
    return link_.await();
  }

  /// Requests neighbouring micro-batches in one go.
  void request(LeaseMessage& lease_message) {
    const auto batches = plan::reads(lease_message.lease, place_.heads, place_.member, place_.reads_all);
    if (batches.empty()) return;
    for (store::Features& features : lease_message.known) known_.emplace(features.batch, std::move(features));
    if (known_.empty() && (place_.heads == 1 || place_.reads_all)) {
      return loader_.request(batches.front(), static_cast<std::int64_t>(batches.size()),
                             std::move(lease_message.locations));
    }
    std::span<const data::Location> rest(lease_message.locations);
    for (const std::int64_t batch : batches) {
      const auto mine =
          rest.first(std::min(rest.size(), static_cast<std::size_t>(loader_.samples_of(batch))));
      if (!known_.contains(batch)) loader_.request(batch, 1, {mine.begin(), mine.end()});
      rest = rest.subspan(mine.size());
    }
  }

  /// Next micro-batch.
  data::Batch next(std::int64_t index) {
    auto known = known_.extract(index);
    if (known.empty()) return loader_.next();
    store::Features& features = known.mapped();
    data::Batch batch;
    batch.index = index;
    batch.samples = loader_.samples_of(index);
    batch.reasons = std::move(features.reasons);
    batch.features = std::move(features.values);
    return batch;
  }

  void compute(const plan::Step& step) {
    if (link_.told_to_stop()) computer_.ask_to_stop();
    std::vector<data::Batch> read;
    const auto batches = plan::reads({step.first, step.count}, place_.heads, place_.member, place_.reads_all);
    {
      const trace::Span span("wait for images");
      for (const std::int64_t batch : batches) read.push_back(next(batch));
    }
    timed([&] { computer_.step(step, read, deliver_); });
    for (data::Batch& batch : read) {
      if (batch.features.empty()) loader_.recycle(std::move(batch));
    }
  }

  template <class Work>
  void timed(Work work) {
    const auto start = Clock::now();
    work();
    figures_.seconds_computing += seconds_since(start);
  }

  CoordinatorLink link_;
  RowSender rows_;
  data::Loader& loader_;
  StepComputer& computer_;
  GroupMembership place_;
  double read_before_;                             ///< seconds of reading while the job was set up
  std::map<std::int64_t, store::Features> known_;  ///< features of micro-batches that are leased and not yet
                                                   ///< computed
  WorkerFigures figures_;
  Deliver deliver_ = [this](store::Rows rows) {
    ++figures_.batches;
    rows_.send(std::move(rows));
  };
};

void report_failure(comm::Channel& channel, const Failure& failure) {
  WireWriter writer;
  writer.put(failure.code).put_text(failure.message);
  send_to_coordinator(channel, ToCoordinator::failure, writer.bytes());
}

/// Runs a rank's work, and tells the coordinator how it ended.
void take_part(comm::Channel& to_coordinator, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    report_failure(to_coordinator, {error.code(), error.what()});
    throw;
  } catch (const std::exception& error) {
    report_failure(to_coordinator, {ExitCode::internal, error.what()});
    throw;
  }
  send_to_coordinator(to_coordinator,
                      ToCoordinator::farewell);  // nothing may follow it, not even a heartbeat
}

}  // namespace

WorkerFigures work(comm::Channel& to_coordinator, comm::Channel& from_coordinator, data::Loader& loader,
                   StepComputer& computer, const GroupMembership& place, const LinkOptions& link_options,
                   const PageWriting& own) {
  WorkerFigures figures;
  take_part(to_coordinator, [&] {
    figures = Worker(to_coordinator, from_coordinator, loader, computer, place, link_options, own).run();
  });
  return figures;
}

void idle_until_dismissed(comm::Channel& to_coordinator, comm::Channel& from_coordinator,
                          const LinkOptions& link_options) {
  take_part(to_coordinator, [&] { CoordinatorLink(to_coordinator, from_coordinator, link_options).await(); });
}

}  // namespace polyhead::run
