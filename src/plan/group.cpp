#include "group.hpp"

namespace polyhead::plan {
namespace {

constexpr std::int64_t kWord = 8;
constexpr std::int64_t kValue = 4;  // bytes of a score or a prediction

}  // namespace

std::vector<HeadRange> shares_of(const Workload& workload, int parts) {
  std::vector<std::int64_t> costs;
  costs.reserve(workload.heads.size());
  for (const HeadCost& head : workload.heads) costs.push_back(head.multiplications);
  return split_heads(costs, parts);
}

std::int64_t sum_bytes(const Workload& workload) {
  return workload.batch * workload.sum_width * kWord;
}

std::int64_t head_output_bytes(const Workload& workload, std::int64_t heads) {
  return workload.batch * heads * workload.head_values * kValue;
}

}  // namespace polyhead::plan
