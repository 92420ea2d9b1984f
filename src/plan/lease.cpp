#include "polyhead/plan/lease.hpp"

#include <algorithm>

namespace polyhead::plan {

std::optional<Lease> LeaseSchedule::next() {
  if (left() == 0) return std::nullopt;
  const Lease lease{handed_out_, std::clamp<std::int64_t>(left() / (2 * takers_), 1, most_)};
  handed_out_ += lease.count;
  return lease;
}

}  // namespace polyhead::plan
