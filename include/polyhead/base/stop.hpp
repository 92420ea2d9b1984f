#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace polyhead {

/// How urgently a process was asked to end.
enum class Stop : int {
  no,
  soon,  ///< when what is under way is finished
  now,   ///< at once, with what is finished
};

/// Who asks, for messages: "SIGUSR1".
struct StopRequest {
  Stop how = Stop::no;
  std::string why{};
};

/// Takes SIGTERM, SIGINT and SIGUSR1 from now on: the first asks to stop soon, any further one to stop now.
/// One a process, made before other threads: it blocks the signals, which they inherit, and a thread of its
/// own waits for them. So no call is ever interrupted elsewhere, and nothing runs in a handler. They stay
/// blocked when it goes: who has ended in good order is not killed on the last yard.
class StopSignals {
 public:
  /// `overdue` is called from that thread when the process still lives `grace` after the second signal, or at
  /// the third: it must end it.
  StopSignals(std::function<void()> overdue, std::chrono::milliseconds grace);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  std::jthread thread_;
};

/// What the signals so far ask for; any thread may look.
StopRequest stop_asked();

/// For long work that may be given up without a loss: throws Error(preempted) once a stop was asked for.
void throw_if_stop_asked();

}  // namespace polyhead
