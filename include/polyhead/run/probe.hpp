#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "polyhead/plan/topology.hpp"
#include "polyhead/plan/workload.hpp"
#include "polyhead/run/machine.hpp"

namespace polyhead::run {

/// What a short trial of the job on this machine shows, for one rank while as many others as a node has do
/// the same.
struct Measurement {
  int ranks = 1;                 ///< that computed at once
  double backbone = 0;           ///< seconds a micro-batch
  double heads = 0;              ///< of all heads, seconds a micro-batch
  double together = 0;           ///< reading, backbone, heads and fusing at once, seconds a micro-batch
  double fusing = 0;             ///< seconds a micro-batch
  double images_per_second = 0;  ///< read and decoded by a rank that does nothing else
  double startup = 0;            ///< seconds to read the inputs
  double equip = 0;              ///< seconds to make the model
  std::uint64_t process = 0;     ///< bytes of memory that are neither weights nor buffers
};

/// Runs the job's model on its images for some seconds, with its real weights, as ranks do: threads stand for
/// the ranks of a node. Writes no results. Throws as `load_inputs` and a run do.
Measurement measure(const std::filesystem::path& config, const std::vector<std::string>& overrides,
                    const Machine& machine, const plan::Workload& workload);

/// The topology with measured instead of assumed speeds and memory.
plan::Topology calibrated(plan::Topology topology, const plan::Workload& workload,
                          const Measurement& measured);

/// A line for each figure.
std::vector<std::string> describe(const Measurement& measured);

}  // namespace polyhead::run
