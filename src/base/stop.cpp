#include "polyhead/base/stop.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <stop_token>
#include <utility>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"

namespace polyhead {
namespace {

std::atomic<int> signals_seen = 0;
std::atomic<int> first_signal = 0;

sigset_t taken_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&signals, signal);
  return signals;
}

std::string name_of(int signal) {
  switch (signal) {
    case SIGTERM:
      return "SIGTERM";
    case SIGINT:
      return "SIGINT";
    default:
      return "SIGUSR1";
  }
}

using Clock = std::chrono::steady_clock;

/// The next signal; 0 when `deadline` has passed.
int wait_for_signal(Clock::time_point deadline) {
  const sigset_t signals = taken_signals();
  constexpr Clock::duration kMax = std::chrono::hours(1);
  const auto left = std::clamp<Clock::duration>(deadline - Clock::now(), Clock::duration::zero(), kMax);
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
  const timespec time{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  const int signal = sigtimedwait(&signals, nullptr, &time);
  return signal > 0 ? signal : 0;
}

void take_signals(const std::stop_token& end, const std::function<void()>& overdue,
                  std::chrono::milliseconds grace) {
  constexpr Clock::time_point kNever = Clock::time_point::max();
  Clock::time_point deadline = kNever;
  while (true) {
    const int signal = wait_for_signal(deadline);
    if (end.stop_requested()) return;
    if (signal != 0) {
      if (signals_seen == 0) first_signal = signal;
      const int seen = ++signals_seen;
      if (seen == 2) deadline = Clock::now() + grace;
      if (seen > 2) deadline = Clock::now();
    }
    if (Clock::now() < deadline) continue;
    deadline = kNever;
    overdue();
  }
}

}  // namespace

StopSignals::StopSignals(std::function<void()> overdue, std::chrono::milliseconds grace) {
  signals_seen = 0;
  const sigset_t signals = taken_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::jthread([overdue = std::move(overdue), grace](const std::stop_token& end) {
    take_signals(end, overdue, grace);
  });
}

StopSignals::~StopSignals() {
  thread_.request_stop();
  pthread_kill(thread_.native_handle(), SIGUSR1);  // wakes the thread
}

StopRequest stop_asked() {
  const int seen = signals_seen;
  if (seen == 0) return {};
  return {seen == 1 ? Stop::soon : Stop::now, name_of(first_signal)};
}

void throw_if_stop_asked() {
  const StopRequest asked = stop_asked();
  if (asked.how == Stop::no) return;
  throw Error(ExitCode::preempted, fmt::format("stopped by {} before work began", asked.why));
}

}  // namespace polyhead
