#pragma once

#include <chrono>
#include <cstdint>

namespace polyhead::run {

/// How a run shows where it is. `automatic`: a bar on a terminal, log lines otherwise.
enum class ProgressStyle { automatic, bar, lines, none };

/// Shows how far a run is, with img/s and the time left: a bar that redraws itself five times a second, or a
/// log line after 10 s, then in growing distances up to 5 minutes.
class Progress {
 public:
  Progress(ProgressStyle style, std::int64_t samples);
  /// Ends a bar's line where `finish` was not called, so that what follows stands on a line of its own.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(std::int64_t done);
  /// Shows that all is done, and ends the bar's line.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  void draw(std::int64_t done, double seconds) const;
  ProgressStyle style_;
  std::int64_t samples_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_;
  std::chrono::milliseconds pause_;
  bool drawn_ = false;
};

}  // namespace polyhead::run
