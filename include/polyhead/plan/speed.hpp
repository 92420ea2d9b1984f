#pragma once

#include <cstdint>

namespace polyhead::plan {

/// How fast one taker of leases is: micro-batches a second, over about the last quarter of what it has
/// finished and at least about the last six units, so that it shows soon when a device slows down. Time is
/// the caller's, in seconds.
class Speed {
 public:
  explicit Speed(std::int64_t unit = 1) : unit_(static_cast<double>(unit)) {}

  /// Work begins, or begins again after a time without any.
  void start(double now) { last_ = now; }
  /// `micro_batches` have been finished since the last call.
  void add(std::int64_t micro_batches, double now);

  /// False until something is finished; nothing is known before.
  [[nodiscard]] bool known() const { return seconds_ > 0; }
  /// When known: micro-batches a second. Falls while nothing is heard: no more than if one unit ended now.
  [[nodiscard]] double at(double now) const;
  /// Seconds since something was last heard, or since the start.
  [[nodiscard]] double silence(double now) const;

 private:
  double unit_;
  double last_ = 0;
  double finished_ = 0;       // all micro-batches
  double micro_batches_ = 0;  // those that still count: older ones fade
  double seconds_ = 0;        // that those took
};

}  // namespace polyhead::plan
