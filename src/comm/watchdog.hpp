#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace polyhead::comm {

/// Bounds a call that blocks inside MPI, where no time limit can be given and nothing can be thrown. A thread
/// calls `overdue` when this object still lives after `limit`. It must end the process.
class Watchdog {
 public:
  Watchdog(std::chrono::milliseconds limit, std::function<void()> overdue)
      : thread_([limit, overdue = std::move(overdue)](const std::stop_token& end) {
          std::mutex mutex;
          std::condition_variable_any wake;
          std::unique_lock lock(mutex);
          wake.wait_for(lock, end, limit, [] { return false; });
          if (!end.stop_requested()) overdue();
        }) {}

 private:
  std::jthread thread_;
};

}  // namespace polyhead::comm
