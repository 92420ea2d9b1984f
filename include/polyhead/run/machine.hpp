#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "polyhead/config/config.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/plan/threads.hpp"
#include "polyhead/plan/topology.hpp"

namespace polyhead::run {

/// Machines of a job as a user would describe them. Nodes are alike.
struct Machine {
  int ranks = 1;
  int ranks_per_node = 1;
  double cores = 1;                 ///< cores per node, for all its ranks
  std::uint64_t memory = 0;         ///< bytes per node; 0: not known
  bool gpu = false;                 ///< every rank has a GPU of its own
  std::uint64_t gpu_memory = 0;     ///< bytes
  double gpu_flops = 0;             ///< peak fp32 FLOP/s; 0: not known
  std::optional<double> bandwidth;  ///< bytes/s between two nodes
  std::optional<int> threads;       ///< compute threads per rank; empty: its share of the cores

  /// Number of cores that a rank has to itself.
  [[nodiscard]] double cores_of_rank() const;
  /// Number of threads that it computes with.
  [[nodiscard]] int threads_of_rank() const;
};

/// This machine with `ranks` ranks: one per GPU, or one per core. Ranks beyond one such machine are spread
/// over several. Throws Error(config) when the configuration wants a GPU and there is none.
Machine this_machine(int ranks, const config::Parallel& parallel);

/// Machines of a started job. `assignment`: that of any of its ranks.
Machine machine_of(const std::vector<plan::RankCores>& ranks, const model::DeviceAssignment& assignment);

/// Topology of such machines for a job. `image_values`: values of a preprocessed image. Speeds that were not
/// measured are assumed: docs/planner.md lists them.
plan::Topology topology_of(const Machine& machine, const config::Config& config, std::int64_t image_values);

/// The most important assumptions of `topology_of`, one per line, for the user.
std::vector<std::string> assumptions(const Machine& machine, const config::Backbone& backbone,
                                     const plan::Topology& topology);

}  // namespace polyhead::run
