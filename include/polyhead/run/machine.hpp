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

/// The machines of a job as a user would describe them. Nodes are alike.
struct Machine {
  int ranks = 1;
  int ranks_per_node = 1;
  double cores = 1;                 ///< of a node, for all its ranks
  std::uint64_t memory = 0;         ///< bytes of a node; 0: not known
  bool gpu = false;                 ///< every rank has a GPU of its own
  std::uint64_t gpu_memory = 0;     ///< bytes
  double gpu_flops = 0;             ///< peak fp32 FLOP/s; 0: not known
  std::optional<double> bandwidth;  ///< bytes/s between two nodes
  std::optional<int> threads;       ///< compute threads a rank; empty: its share of the cores

  /// Cores that a rank has to itself.
  [[nodiscard]] double cores_of_rank() const;
  /// Threads that it computes with.
  [[nodiscard]] int threads_of_rank() const;
};

/// This machine with so many ranks: a rank a GPU, or a rank a core; what is too much for one such machine is
/// spread over several. Throws Error(config) when the configuration wants a GPU and there is none.
Machine this_machine(int ranks, const config::Parallel& parallel);

/// The machines that a started job runs on. `assignment`: of any of its ranks.
Machine machine_of(const std::vector<plan::RankCores>& ranks, const model::DeviceAssignment& assignment);

/// What a job may expect of such machines. `image_values`: of a preprocessed image. Speeds that nobody
/// measured are assumed ones: docs/planner.md lists them.
plan::Topology topology_of(const Machine& machine, const config::Config& config, std::int64_t image_values);

/// What `topology_of` had to assume and matters most, a line each, for the user.
std::vector<std::string> assumptions(const Machine& machine, const config::Backbone& backbone,
                                     const plan::Topology& topology);

}  // namespace polyhead::run
