#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace polyhead {

/// How urgently a process was asked to end.
enum class Stop : int {
  no,
  soon,  ///< after the work under way
  now,   ///< at once, with what is finished
};

/// Source of the request, for messages: "SIGUSR1".
struct StopRequest {
  Stop how = Stop::no;
  std::string why{};
};

/// Takes over SIGTERM, SIGINT and SIGUSR1: the first asks to stop soon, any further one to stop now. One
/// object per process, made before other threads, since these inherit the blocked signals. A thread of its
/// own waits for the signals: no call elsewhere is interrupted, and nothing runs in a handler. The signals
/// stay blocked after destruction, so that a process that ends in good order is not killed at the last
/// moment.
class StopSignals {
 public:
  /// `overdue` is called from that thread when the process still lives `grace` after the second signal, or at
  /// the third. It must end the process.
  StopSignals(std::function<void()> overdue, std::chrono::milliseconds grace);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  std::jthread thread_;
};

/// Request of the signals so far; any thread may call.
StopRequest stop_asked();

/// Throws Error(preempted) once a stop was asked for. Meant for long work that can be abandoned without loss.
void throw_if_stop_asked();

}  // namespace polyhead
