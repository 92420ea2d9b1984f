#include "polyhead/plan/lease.hpp"

#include <algorithm>

namespace polyhead::plan {

std::optional<Lease> LeaseSchedule::next() {
  if (left() == 0) return std::nullopt;
  const std::int64_t units = std::clamp<std::int64_t>(left() / (2 * takers_ * unit_), 1, most_ / unit_);
  const Lease lease{handed_out_, std::min(units * unit_, left())};
  handed_out_ += lease.count;
  return lease;
}

}  // namespace polyhead::plan
