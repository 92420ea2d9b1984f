#include "polyhead/run/worker.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
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

/// Says "alive" a few times per time-out while the rank computes, and passes on that it was told to stop.
class Heartbeat {
 public:
  Heartbeat(comm::Channel& channel, const Terms& terms)
      : channel_(channel), terms_(terms), thread_([this](const std::stop_token& end) { run(end); }) {}

 private:
  static constexpr std::chrono::milliseconds kLook{100};  // for a signal

  void run(const std::stop_token& end) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    const auto interval = terms_.timeout / 6;
    while (!wake.wait_for(lock, end, std::min(interval, kLook), [&] { return end.stop_requested(); })) {
      try {
        pass_on(terms_.asked());
        if (Clock::now() - beaten_ < interval) continue;
        tell(channel_, ToCoordinator::heartbeat);
        beaten_ = Clock::now();
      } catch (const Error&) {  // the rank itself will notice that nobody answers
        return;
      }
    }
  }

  void pass_on(const StopRequest& asked) {
    if (asked.how <= passed_on_) return;
    WireWriter writer;
    writer.put(asked.how).put_text(asked.why);
    tell(channel_, ToCoordinator::stop, writer.bytes());
    passed_on_ = asked.how;
  }

  comm::Channel& channel_;
  const Terms& terms_;
  Clock::time_point beaten_ = Clock::now();
  Stop passed_on_ = Stop::no;
  std::jthread thread_;  // the last member: it uses the others
};

/// A lease and where its samples are.
struct Grant {
  plan::Lease lease;
  std::vector<data::Location> locations;
};

/// Asks the coordinator for leases, ahead of need, and hears when it wants the rank to stop.
class LeaseClient {
 public:
  LeaseClient(comm::Channel& to, comm::Channel& from, std::chrono::milliseconds timeout)
      : to_(to), from_(from), patience_(kPatience * timeout) {}

  void ask() { tell(to_, ToCoordinator::request); }

  Grant await() {
    while (grants_.empty()) hear(next_message());
    Grant grant = std::move(grants_.front());
    grants_.pop_front();
    return grant;
  }

  /// Whether the rank is to stop, by what has arrived.
  bool told_to_stop() {
    while (const auto message = from_.poll()) hear(*message);
    return told_to_stop_;
  }

 private:
  void hear(const comm::Message& message) {
    switch (static_cast<ToRank>(message.tag)) {
      case ToRank::alive:
        return;
      case ToRank::stop:
        told_to_stop_ = true;
        return;
      case ToRank::grant:
        break;
    }
    WireReader reader(message.bytes);
    Grant& grant = grants_.emplace_back(Grant{reader.get<plan::Lease>(), {}});
    if (grant.lease.count > 0) grant.locations = data::get_locations(reader);
  }

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
  std::deque<Grant> grants_;
  bool told_to_stop_ = false;
};

class Worker {
 public:
  Worker(comm::Channel& to, comm::Channel& from, data::Loader& loader, StepComputer& computer,
         const Place& place, const Terms& terms, const OwnPages& own)
      : leases_(to, from, terms.timeout),
        rows_(to, own),
        loader_(loader),
        computer_(computer),
        place_(place) {}

  WorkerFigures run() {
    for (plan::Lease lease = take(); lease.count > 0 && !computer_.stopped();) {
      const plan::Steps steps(lease, place_.heads);
      for (std::int64_t i = 0; i < steps.count() && !computer_.stopped(); ++i) {
        if (i + 1 == steps.count()) lease = take();
        compute(steps[i]);
      }
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
    if (leases_.told_to_stop()) computer_.ask_to_stop();
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
void take_part(comm::Channel& to_coordinator, const Terms& terms, const std::function<void()>& body) {
  try {
    const Heartbeat heartbeat(to_coordinator, terms);
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
                   StepComputer& computer, const Place& place, const Terms& terms, const OwnPages& own) {
  WorkerFigures figures;
  take_part(to_coordinator, terms, [&] {
    figures = Worker(to_coordinator, from_coordinator, loader, computer, place, terms, own).run();
  });
  return figures;
}

void sit_out(comm::Channel& to_coordinator, comm::Channel& from_coordinator, const Terms& terms) {
  take_part(to_coordinator, terms,
            [&] { LeaseClient(to_coordinator, from_coordinator, terms.timeout).await(); });
}

}  // namespace polyhead::run
