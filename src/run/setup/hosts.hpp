#pragma once

#include <string>
#include <vector>

#include "polyhead/plan/grid.hpp"
#include "polyhead/plan/threads.hpp"

namespace polyhead::run {

/// Host of each rank.
inline std::vector<std::string> hosts_of(const std::vector<plan::RankCores>& ranks) {
  std::vector<std::string> hosts;
  hosts.reserve(ranks.size());
  for (const plan::RankCores& rank : ranks) hosts.push_back(rank.host);
  return hosts;
}

/// Hosts of ranks that compute; an empty text for surplus ones.
inline std::vector<std::string> hosts_at_work(const std::vector<plan::RankCores>& ranks, plan::Grid grid) {
  std::vector<std::string> hosts = hosts_of(ranks);
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) {
    if (!grid.works(static_cast<int>(rank))) hosts[rank].clear();
  }
  return hosts;
}

}  // namespace polyhead::run
