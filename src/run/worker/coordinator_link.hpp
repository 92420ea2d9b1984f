#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "polyhead/base/error.hpp"
#include "polyhead/base/stop.hpp"
#include "polyhead/comm/channel.hpp"
#include "run/protocol/lease_message.hpp"
#include "worker.hpp"

namespace polyhead::run {

/// A rank's link to the coordinator: asks for leases ahead of need, and hears when it must stop. A thread
/// beside the computation reports several times per `comm.timeout` that the rank is alive, and forwards stop
/// requests. It also listens, so that a rank that waits in an exchange notices a silent coordinator.
class CoordinatorLink {
 public:
  /// All arguments must outlive it.
  CoordinatorLink(comm::Channel& to, comm::Channel& from, const LinkOptions& link_options);

  void ask();
  /// The next lease. Throws Error(unavailable) when the coordinator is lost.
  LeaseMessage await();
  /// Whether the rank must stop, by the messages that have arrived.
  bool told_to_stop();

 private:
  using Clock = std::chrono::steady_clock;

  void run(const std::stop_token& end);
  void beat();
  void pass_on(const StopRequest& asked);
  void listen();  // requires the mutex
  void hear(const comm::Message& message);
  [[nodiscard]] bool is_lost();

  comm::Channel& to_;
  comm::Channel& from_;
  const LinkOptions& link_options_;
  std::mutex mutex_;  // guards what is heard
  std::condition_variable_any changed_;
  Clock::time_point last_heard_ = Clock::now();
  std::deque<LeaseMessage> grants_;
  bool told_to_stop_ = false;
  std::optional<Error> lost_;
  Clock::time_point listened_ = Clock::now();  // used by the thread alone, as are the members after it
  Clock::time_point beaten_ = Clock::now();
  Stop passed_on_ = Stop::no;
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace polyhead::run
