#include "coordinator_link.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "polyhead/base/wire.hpp"
#include "run/protocol/messages.hpp"
#include "run/protocol/send_to_coordinator.hpp"
#include "run/protocol/silence.hpp"

namespace polyhead::run {
namespace {

constexpr std::chrono::milliseconds kLook{100};  // time between checks for messages and signals

}  // namespace

CoordinatorLink::CoordinatorLink(comm::Channel& to, comm::Channel& from, const LinkOptions& link_options)
    : to_(to),
      from_(from),
      link_options_(link_options),
      thread_([this](const std::stop_token& end) { run(end); }) {}

void CoordinatorLink::ask() {
  send_to_coordinator(to_, ToCoordinator::request);
}

LeaseMessage CoordinatorLink::await() {
  auto pause = std::chrono::microseconds(20);
  std::unique_lock lock(mutex_);
  for (listen(); grants_.empty(); listen()) {
    if (lost_) throw Error(*lost_);
    changed_.wait_for(lock, pause);
    pause = std::min(pause * 2, std::chrono::microseconds(500));
  }
  LeaseMessage lease_message = std::move(grants_.front());
  grants_.pop_front();
  return lease_message;
}

bool CoordinatorLink::told_to_stop() {
  const std::lock_guard lock(mutex_);
  listen();
  return told_to_stop_;
}

void CoordinatorLink::run(const std::stop_token& end) {
  const auto look = std::min(kLook, link_options_.timeout / 6);
  std::unique_lock lock(mutex_);
  while (!end.stop_requested()) {
    changed_.wait_for(lock, end, look, [] { return false; });
    if (end.stop_requested()) return;
    listen();
    const bool lost = is_lost();
    lock.unlock();
    if (lost) return link_options_.coordinator_lost(*lost_);
    try {
      pass_on(link_options_.asked());
      beat();
    } catch (const Error& error) {
      lock.lock();
      lost_ = error;
      return;
    }
    lock.lock();
  }
}

void CoordinatorLink::beat() {
  if (Clock::now() - beaten_ < link_options_.timeout / 6) return;
  send_to_coordinator(to_, ToCoordinator::heartbeat);
  beaten_ = Clock::now();
}

void CoordinatorLink::pass_on(const StopRequest& asked) {
  if (asked.how <= passed_on_) return;
  WireWriter writer;
  writer.put(asked.how).put_text(asked.why);
  send_to_coordinator(to_, ToCoordinator::stop, writer.bytes());
  passed_on_ = asked.how;
}

void CoordinatorLink::listen() {
  while (const auto message = from_.poll()) hear(*message);
}

void CoordinatorLink::hear(const comm::Message& message) {
  last_heard_ = Clock::now();
  switch (static_cast<ToRank>(message.tag)) {
    case ToRank::alive:
      return;
    case ToRank::stop:
      told_to_stop_ = true;
      return;
    case ToRank::lease_message:
      break;
  }
  grants_.push_back(get_lease_message(message.bytes));
}

/// Requires the mutex, and that all arrived messages were handled.
bool CoordinatorLink::is_lost() {
  const auto now = Clock::now();
  last_heard_ += not_listened(std::exchange(listened_, now), now, link_options_.timeout);
  if (now - last_heard_ < link_options_.timeout) return false;
  lost_ =
      Error(ExitCode::unavailable,
            fmt::format("the coordinator on rank 0 has been silent for {} s (comm.timeout): rank 0 or its "
                        "host is frozen, or the network is cut",
                        std::chrono::duration<double>(link_options_.timeout).count()));
  return true;
}

}  // namespace polyhead::run
