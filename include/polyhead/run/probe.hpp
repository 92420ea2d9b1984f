#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "polyhead/plan/topology.hpp"
#include "polyhead/plan/workload.hpp"
#include "polyhead/run/machine.hpp"

namespace polyhead::run {

/// Results of a short trial of the job on this machine, for one rank while as many others as a node has do
/// the same.
struct Measurement {
  int ranks = 1;                 ///< ranks that computed at once
  double backbone = 0;           ///< seconds per micro-batch
  double heads = 0;              ///< all heads, seconds per micro-batch
  double together = 0;           ///< reading, backbone, heads and fusing at once, seconds per micro-batch
  double fusing = 0;             ///< seconds per micro-batch
  double images_per_second = 0;  ///< images read and decoded per second by a rank without other work
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

/// One line per figure.
std::vector<std::string> describe(const Measurement& measured);

}  // namespace polyhead::run
