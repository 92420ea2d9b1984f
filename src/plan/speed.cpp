#include "polyhead/plan/speed.hpp"

#include <algorithm>
#include <cmath>

namespace polyhead::plan {

void Speed::add(std::int64_t micro_batches, double now) {
  const auto count = static_cast<double>(micro_batches);
  const double kept = std::exp2(-count / (4 * unit_ + finished_ / 8));
  micro_batches_ = micro_batches_ * kept + count;
  seconds_ = seconds_ * kept + silence(now);
  finished_ += count;
  last_ = std::max(last_, now);
}

double Speed::at(double now) const {
  return std::min(micro_batches_ / seconds_, (micro_batches_ + unit_) / (seconds_ + silence(now)));
}

double Speed::silence(double now) const {
  return std::max(0.0, now - last_);
}

}  // namespace polyhead::plan
