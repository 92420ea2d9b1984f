#include "polyhead/plan/steps.hpp"

#include <algorithm>

namespace polyhead::plan {

Step Steps::operator[](std::int64_t index) const {
  const std::int64_t begin = index * heads_;
  return {lease_.first + begin, std::min(heads_, lease_.count - begin)};
}

std::vector<std::int64_t> reads(const Lease& lease, int heads, int member, bool all) {
  std::vector<std::int64_t> batches;
  const std::int64_t stride = all ? 1 : heads;
  for (std::int64_t i = all ? 0 : member; i < lease.count; i += stride) batches.push_back(lease.first + i);
  return batches;
}

}  // namespace polyhead::plan
