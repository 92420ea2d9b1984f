#include "polyhead/plan/threads.hpp"

#include <algorithm>

namespace polyhead::plan {

int threads_for(const std::vector<RankCores>& ranks, int rank) {
  const RankCores& mine = ranks.at(static_cast<std::size_t>(rank));
  double share = 0;
  for (const int core : mine.cores) {
    const auto users = std::ranges::count_if(ranks, [&](const RankCores& other) {
      return other.host == mine.host && std::ranges::binary_search(other.cores, core);
    });
    share += 1.0 / static_cast<double>(users);
  }
  if (mine.quota) {
    const auto on_host = std::ranges::count(ranks, mine.host, &RankCores::host);
    share = std::min(share, *mine.quota / static_cast<double>(on_host));
  }
  constexpr double kRounding = 1e-9;  // 3 x 1/3
  return std::max(1, static_cast<int>(share + kRounding));
}

int workers_for(std::optional<int> wanted, int compute_threads) {
  constexpr int kMax = 256;  // the limit of data.workers
  return wanted.value_or(std::clamp(compute_threads, 1, kMax));
}

}  // namespace polyhead::plan
