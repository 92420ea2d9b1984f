#include "polyhead/run/worker.hpp"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/run/messages.hpp"
#include "row_sender.hpp"
#include "tell.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Says "alive" a few times per time-out while the rank computes.
class Heartbeat {
 public:
  Heartbeat(comm::Channel& channel, std::chrono::milliseconds timeout)
      : thread_([&channel, interval = timeout / 6](const std::stop_token& stop) {
          std::mutex mutex;
          std::condition_variable_any wake;
          std::unique_lock lock(mutex);
          while (!wake.wait_for(lock, stop, interval, [&] { return stop.stop_requested(); })) {
            try {
              tell(channel, ToCoordinator::heartbeat);
            } catch (const Error&) {  // the rank itself will notice that nobody answers
              return;
            }
          }
        }) {}

 private:
  std::jthread thread_;
};

/// A lease and where its samples are.
struct Grant {
  plan::Lease lease;
  std::vector<data::Location> locations;
};

/// Asks the coordinator for leases, ahead of need.
class LeaseClient {
 public:
  LeaseClient(comm::Channel& to, comm::Channel& from, std::chrono::milliseconds timeout)
      : to_(to), from_(from), patience_(kPatience * timeout) {}

  void ask() { tell(to_, ToCoordinator::request); }

  Grant await() {
    comm::Message message = next_message();
    while (static_cast<ToRank>(message.tag) == ToRank::alive) message = next_message();
    WireReader reader(message.bytes);
    Grant grant{reader.get<plan::Lease>(), {}};
    if (grant.lease.count > 0) grant.locations = data::get_locations(reader);
    return grant;
  }

 private:
  comm::Message next_message() {
    auto message = from_.receive(patience_);
    if (message) return std::move(*message);
    throw Error(ExitCode::unavailable,
                fmt::format("the coordinator on rank 0 has been silent for {} s ({} times comm.timeout)",
                            std::chrono::duration_cast<std::chrono::seconds>(patience_).count(), kPatience));
  }

  comm::Channel& to_;
  comm::Channel& from_;
  std::chrono::milliseconds patience_;
};

class Worker {
 public:
  Worker(comm::Channel& to, comm::Channel& from, data::Loader& loader, StepComputer& computer,
         const Place& place, std::chrono::milliseconds timeout, const OwnPages& own)
      : leases_(to, from, timeout), rows_(to, own), loader_(loader), computer_(computer), place_(place) {}

  WorkerFigures run() {
    for (plan::Lease lease = take(); lease.count > 0;) {
      const plan::Steps steps(lease, place_.heads);
      for (std::int64_t i = 0; i + 1 < steps.count(); ++i) compute(steps[i]);
      lease = take();
      compute(steps[steps.count() - 1]);
    }
    timed([&] { computer_.drain(deliver_); });
    rows_.finish();
    figures_.seconds_waiting = loader_.figures().seconds_waited;
    figures_.seconds_reading = loader_.figures().seconds_reading;
    return figures_;
  }

 private:
  /// The group's next lease; its data are read from now on.
  plan::Lease take() {
    if (place_.member == 0) leases_.ask();
    Grant grant = leases_.await();
    request(grant);
    return grant.lease;
  }

  /// Neighbouring micro-batches are asked for in one go.
  void request(Grant& grant) {
    const auto batches = plan::reads(grant.lease, place_.heads, place_.member, place_.reads_all);
    if (batches.empty()) return;
    if (place_.heads == 1 || place_.reads_all) {
      return loader_.request(batches.front(), static_cast<std::int64_t>(batches.size()),
                             std::move(grant.locations));
    }
    std::span<const data::Location> rest(grant.locations);
    for (const std::int64_t batch : batches) {
      const auto mine =
          rest.first(std::min(rest.size(), static_cast<std::size_t>(loader_.samples_of(batch))));
      loader_.request(batch, 1, {mine.begin(), mine.end()});
      rest = rest.subspan(mine.size());
    }
  }

  void compute(const plan::Step& step) {
    std::vector<data::Batch> read;
    const auto batches = plan::reads({step.first, step.count}, place_.heads, place_.member, place_.reads_all);
    for (std::size_t i = 0; i < batches.size(); ++i) read.push_back(loader_.next());
    timed([&] { computer_.step(step, read, deliver_); });
    for (data::Batch& batch : read) loader_.recycle(std::move(batch));
  }

  template <class Work>
  void timed(Work work) {
    const auto start = Clock::now();
    work();
    figures_.seconds_computing += seconds_since(start);
  }

  LeaseClient leases_;
  RowSender rows_;
  data::Loader& loader_;
  StepComputer& computer_;
  Place place_;
  WorkerFigures figures_;
  Deliver deliver_ = [this](store::Rows rows) {
    ++figures_.batches;
    rows_.send(std::move(rows));
  };
};

void report_failure(comm::Channel& channel, const Failure& failure) {
  WireWriter writer;
  writer.put(failure.code).put_text(failure.message);
  tell(channel, ToCoordinator::failure, writer.bytes());
}

/// Runs what a rank does while it says that it is alive, and tells the coordinator how it ended.
void take_part(comm::Channel& to_coordinator, std::chrono::milliseconds timeout,
               const std::function<void()>& body) {
  try {
    const Heartbeat heartbeat(to_coordinator, timeout);
    body();
  } catch (const Error& error) {
    report_failure(to_coordinator, {error.code(), error.what()});
    throw;
  } catch (const std::exception& error) {
    report_failure(to_coordinator, {ExitCode::internal, error.what()});
    throw;
  }
  tell(to_coordinator, ToCoordinator::farewell);  // after the last heartbeat: nothing may follow it
}

}  // namespace

WorkerFigures work(comm::Channel& to_coordinator, comm::Channel& from_coordinator, data::Loader& loader,
                   StepComputer& computer, const Place& place, std::chrono::milliseconds timeout,
                   const OwnPages& own) {
  WorkerFigures figures;
  take_part(to_coordinator, timeout, [&] {
    figures = Worker(to_coordinator, from_coordinator, loader, computer, place, timeout, own).run();
  });
  return figures;
}

void sit_out(comm::Channel& to_coordinator, comm::Channel& from_coordinator,
             std::chrono::milliseconds timeout) {
  take_part(to_coordinator, timeout, [&] { LeaseClient(to_coordinator, from_coordinator, timeout).await(); });
}

}  // namespace polyhead::run
