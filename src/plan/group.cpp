#include "group.hpp"

namespace polyhead::plan {
namespace {

constexpr std::int64_t kWord = 8;
constexpr std::int64_t kValue = 4;   // bytes of a score or a prediction
constexpr std::int64_t kStatus = 2;  // status and reason

std::int64_t head_count(const Workload& workload) {
  return static_cast<std::int64_t>(workload.heads.size());
}

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

std::int64_t row_bytes(const Workload& workload) {
  const std::int64_t heads = head_count(workload);
  const std::int64_t kept = workload.head_scores ? heads * workload.classes : 0;
  return (workload.classes + 1 + heads + kept) * kValue + kStatus;
}

}  // namespace polyhead::plan
