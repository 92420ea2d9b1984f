#pragma once

#include <optional>
#include <string>
#include <vector>

namespace polyhead::plan {

/// The cores that one rank may use, as its host tells.
struct RankCores {
  std::string host;
  std::vector<int> cores;  ///< affinity mask
  std::optional<double>
      quota;  ///< cores' worth of time that the cgroup grants, to all of the host's ranks together
};

/// Compute threads for rank `rank`: its own cores, each shared core divided among the ranks of the host that
/// may run on it, and the cgroup's quota divided among the host's ranks; at least 1.
int threads_for(const std::vector<RankCores>& ranks, int rank);

/// Threads of a rank that read and decode: `wanted` (`data.workers`), or for `auto` one for each compute
/// thread. On a CPU the two share the cores: while the queue is full the readers sleep, and when it runs
/// empty they may use every core. Beside a GPU the cores have nothing else to do. Never more than 256.
int workers_for(std::optional<int> wanted, int compute_threads);

}  // namespace polyhead::plan
