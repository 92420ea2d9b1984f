#pragma once

#include <optional>
#include <string>
#include <vector>

namespace polyhead::plan {

/// Cores that one rank may use, as its host reports.
struct RankCores {
  std::string host;
  std::vector<int> cores;  ///< affinity mask
  std::optional<double>
      quota;  ///< cores' worth of time that the cgroup grants to all of the host's ranks together
};

/// Number of compute threads for rank `rank`; at least 1. Each core is divided among the ranks of the host
/// that may run on it, and the cgroup's quota among the host's ranks.
int threads_for(const std::vector<RankCores>& ranks, int rank);

/// Threads of a rank that read and decode: `wanted` (`data.workers`), or for `auto` one per compute thread.
/// On a CPU the two share the cores: while the queue is full the readers sleep, and when it is empty they may
/// use every core. Beside a GPU the cores have no other work. Never more than 256.
int workers_for(std::optional<int> wanted, int compute_threads);

}  // namespace polyhead::plan
