#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace polyhead::run {

/// Form in which a run shows its progress. `automatic`: a bar on a terminal, log lines otherwise.
enum class ProgressStyle { automatic, bar, lines, none };

/// Line after `seconds` of work: " 40%  400/1000  100.0 img/s  6.0 s left". `earlier`: number of the done
/// samples that earlier runs did.
std::string progress_line(std::int64_t done, std::int64_t samples, double seconds, std::int64_t earlier = 0);

/// "[============>                 ]" for a share from 0 to 1.
std::string progress_bar(double share);

/// Shows the progress of a run, with img/s and the time left. A bar redraws itself five times per second. A
/// log line comes after 10 s, then at growing intervals of up to 5 minutes.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  /// `earlier`: samples that earlier runs have finished.
  Progress(ProgressStyle style, std::int64_t samples, std::int64_t earlier = 0,
           std::function<Clock::time_point()> now = Clock::now);
  /// Ends the line of an unfinished bar, so that the next text starts a new line.
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
