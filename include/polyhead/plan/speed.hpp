#pragma once

#include <cstdint>

namespace polyhead::plan {

/// Speed of one taker of leases, in micro-batches per second. It covers about the last quarter of the
/// finished work and at least about the last six units, so that a device that slows down shows soon. Time is
/// the caller's, in seconds.
class Speed {
 public:
  explicit Speed(std::int64_t unit = 1) : unit_(static_cast<double>(unit)) {}

  /// Begins the work, or begins it again after a pause.
  void start(double now) { last_ = now; }
  /// Records `micro_batches` finished since the last call.
  void add(std::int64_t micro_batches, double now);

  /// Whether the speed is known: something is finished.
  [[nodiscard]] bool known() const { return seconds_ > 0; }
  /// Micro-batches per second, when known. Falls during silence: no higher than if one unit ended now.
  [[nodiscard]] double at(double now) const;
  /// Seconds since the last report, or since the start.
  [[nodiscard]] double silence(double now) const;

 private:
  double unit_;
  double last_ = 0;
  double finished_ = 0;       // all micro-batches
  double micro_batches_ = 0;  // those that still count: older ones fade
  double seconds_ = 0;        // seconds that those took
};

}  // namespace polyhead::plan
