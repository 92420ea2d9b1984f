#pragma once

#include <chrono>
#include <cstdint>

namespace polyhead::data {

/// A line in the log every ten seconds while something takes long.
class Progress {
 public:
  void samples(std::int64_t count);
  [[nodiscard]] double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_ + std::chrono::seconds(10);
};

}  // namespace polyhead::data
