#include "polyhead/run/worker.hpp"

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/run/messages.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kCoordinator = 0;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void tell(comm::Channel& channel, ToCoordinator tag, std::span<const std::byte> bytes = {}) {
  channel.send(kCoordinator, static_cast<int>(tag), bytes);
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
      : to_(to), from_(from), timeout_(timeout) {}

  void ask() { tell(to_, ToCoordinator::request); }

  Grant await() {
    const auto message = from_.receive(timeout_);
    if (!message) {
      throw Error(ExitCode::unavailable,
                  fmt::format("the coordinator on rank 0 has not answered for {} s (comm.timeout)",
                              std::chrono::duration_cast<std::chrono::seconds>(timeout_).count()));
    }
    WireReader reader(message->bytes);
    Grant grant{reader.get<plan::Lease>(), {}};
    if (grant.lease.count > 0) grant.locations = data::get_locations(reader);
    return grant;
  }

 private:
  comm::Channel& to_;
  comm::Channel& from_;
  std::chrono::milliseconds timeout_;
};

class Worker {
 public:
  Worker(comm::Channel& to, comm::Channel& from, data::Loader& loader, const Compute& compute,
         std::chrono::milliseconds timeout)
      : to_(to), leases_(to, from, timeout), loader_(loader), compute_(compute) {}

  WorkerFigures run() {
    leases_.ask();
    plan::Lease lease = take();
    while (lease.count > 0) {
      plan::Lease next;
      for (std::int64_t i = 0; i < lease.count; ++i) {
        if (i + 1 == lease.count) {
          leases_.ask();
          next = take();
        }
        compute_one();
      }
      lease = next;
    }
    figures_.seconds_waiting = loader_.figures().seconds_waited;
    figures_.seconds_reading = loader_.figures().seconds_reading;
    return figures_;
  }

 private:
  plan::Lease take() {
    Grant grant = leases_.await();
    loader_.request(grant.lease.first, grant.lease.count, std::move(grant.locations));
    return grant.lease;
  }

  void compute_one() {
    data::Batch batch = loader_.next();
    const auto start = Clock::now();
    const store::Rows rows = compute_(batch);
    figures_.seconds_computing += seconds_since(start);
    ++figures_.batches;
    tell(to_, ToCoordinator::rows, rows.to_wire());
    loader_.recycle(std::move(batch));
  }

  comm::Channel& to_;
  LeaseClient leases_;
  data::Loader& loader_;
  const Compute& compute_;
  WorkerFigures figures_;
};

void report_failure(comm::Channel& channel, const Failure& failure) {
  WireWriter writer;
  writer.put(failure.code).put_text(failure.message);
  tell(channel, ToCoordinator::failure, writer.bytes());
}

}  // namespace

WorkerFigures work(comm::Channel& to_coordinator, comm::Channel& from_coordinator, data::Loader& loader,
                   const Compute& compute, std::chrono::milliseconds timeout) {
  WorkerFigures figures;
  try {
    const Heartbeat heartbeat(to_coordinator, timeout);
    figures = Worker(to_coordinator, from_coordinator, loader, compute, timeout).run();
  } catch (const Error& error) {
    report_failure(to_coordinator, {error.code(), error.what()});
    throw;
  } catch (const std::exception& error) {
    report_failure(to_coordinator, {ExitCode::internal, error.what()});
    throw;
  }
  tell(to_coordinator, ToCoordinator::farewell);  // after the last heartbeat: nothing may follow it
  return figures;
}

}  // namespace polyhead::run
