#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "polyhead/plan/grid.hpp"
#include "polyhead/plan/workload.hpp"

/// Shares and messages of the ranks of a group.
namespace polyhead::plan {

inline HeadRange all_heads(const Workload& workload) {
  return {0, static_cast<std::int64_t>(workload.heads.size())};
}

inline std::span<const HeadCost> heads_of(const Workload& workload, HeadRange range) {
  return std::span(workload.heads)
      .subspan(static_cast<std::size_t>(range.first), static_cast<std::size_t>(range.count));
}

/// Heads of each of `parts` ranks.
std::vector<HeadRange> shares_of(const Workload& workload, int parts);

/// Bytes of the 64-bit sums of one micro-batch.
std::int64_t sum_bytes(const Workload& workload);

/// Bytes of the outputs of `heads` heads for one micro-batch, sent to the rank that fuses it.
std::int64_t head_output_bytes(const Workload& workload, std::int64_t heads);

}  // namespace polyhead::plan
