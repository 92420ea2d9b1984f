#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace polyhead::data {

/// Log line every ten seconds while something takes long.
class Progress {
 public:
  explicit Progress(std::chrono::milliseconds interval = std::chrono::seconds(10)) : interval_(interval) {}
  /// "data: 1234 samples found so far, in 20.0 s"
  void samples(std::int64_t count) { say(count, "samples found"); }
  void lines(std::int64_t count) { say(count, "lines checked"); }
  [[nodiscard]] double seconds() const;

 private:
  void say(std::int64_t count, std::string_view what);

  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
  std::chrono::milliseconds interval_;
  Clock::time_point next_ = start_ + interval_;
};

}  // namespace polyhead::data
