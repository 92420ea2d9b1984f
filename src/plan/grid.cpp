#include "polyhead/plan/grid.hpp"

#include <algorithm>
#include <numeric>

namespace polyhead::plan {
namespace {

/// Runs of the greatest lengths at cost `limit`; more than `parts` of them if the limit is too low.
std::vector<HeadRange> runs_within(std::span<const std::int64_t> costs, std::int64_t limit) {
  std::vector<HeadRange> runs{{0, 0}};
  std::int64_t sum = 0;
  for (std::size_t k = 0; k < costs.size(); ++k) {
    if (sum + costs[k] > limit && runs.back().count > 0) {
      runs.push_back({static_cast<std::int64_t>(k), 0});
      sum = 0;
    }
    sum += costs[k];
    ++runs.back().count;
  }
  return runs;
}

}  // namespace

std::vector<HeadRange> split_heads(std::span<const std::int64_t> costs, int parts) {
  const auto wanted = static_cast<std::size_t>(parts);
  // Lowest limit that gives few enough runs, by bisection.
  std::int64_t low = costs.empty() ? 0 : *std::ranges::max_element(costs);
  std::int64_t high = std::accumulate(costs.begin(), costs.end(), std::int64_t{0});
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (runs_within(costs, middle).size() <= wanted) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  std::vector<HeadRange> runs = runs_within(costs, low);
  runs.resize(wanted, {static_cast<std::int64_t>(costs.size()), 0});
  return runs;
}

}  // namespace polyhead::plan
