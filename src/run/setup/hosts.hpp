#pragma once

#include <string>
#include <vector>

#include "polyhead/plan/threads.hpp"

namespace polyhead::run {

/// Host of each rank.
inline std::vector<std::string> hosts_of(const std::vector<plan::RankCores>& ranks) {
  std::vector<std::string> hosts;
  hosts.reserve(ranks.size());
  for (const plan::RankCores& rank : ranks) hosts.push_back(rank.host);
  return hosts;
}

}  // namespace polyhead::run
