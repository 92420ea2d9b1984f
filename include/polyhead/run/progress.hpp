#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace polyhead::run {

/// How a run shows where it is. `automatic`: a bar on a terminal, log lines otherwise.
enum class ProgressStyle { automatic, bar, lines, none };

/// " 40%  400/1000  100.0 img/s  6.0 s left", after `seconds` of work.
/// `earlier`: of those that are done, what earlier runs did.
std::string progress_line(std::int64_t done, std::int64_t samples, double seconds, std::int64_t earlier = 0);

/// "[============>                 ]" for a share from 0 to 1.
std::string progress_bar(double share);

/// Shows how far a run is, with img/s and the time left: a bar that redraws itself five times a second, or a
/// log line after 10 s, then in growing distances up to 5 minutes.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  /// `earlier`: samples that earlier runs have finished.
  Progress(ProgressStyle style, std::int64_t samples, std::int64_t earlier = 0,
           std::function<Clock::time_point()> now = Clock::now);
  /// Ends the line of a bar that was left half way, so that what is said next starts a new one.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::int64_t done);
  /// Fills the bar and ends its line.
  void finish();

 private:
  void draw(std::int64_t done, double seconds) const;
  ProgressStyle style_;
  std::int64_t samples_;
  std::int64_t earlier_;
  std::function<Clock::time_point()> now_;
  Clock::time_point start_;
  Clock::time_point next_;
  std::chrono::milliseconds pause_;
  bool drawn_ = false;
};

}  // namespace polyhead::run
