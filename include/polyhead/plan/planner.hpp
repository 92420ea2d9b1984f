#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "polyhead/config/config.hpp"
#include "polyhead/plan/cost.hpp"
#include "polyhead/plan/grid.hpp"
#include "polyhead/plan/memory.hpp"
#include "polyhead/plan/topology.hpp"
#include "polyhead/plan/workload.hpp"

/// Assignment of the work, its time and its memory: pure functions of job and machines, shared by `run`,
/// `plan` and their tests.
namespace polyhead::plan {

/// One way to lay out the ranks.
struct Candidate {
  Grid grid;
  std::vector<HeadRange> heads;    ///< heads of each member of a group
  std::vector<RankMemory> memory;  ///< memory of each member of the first group
  Estimate estimate;
  bool fits = true;  ///< every rank has the memory it needs
};

/// The chosen layout, and the alternatives.
struct Plan {
  Candidate chosen;
  config::Strategy strategy = config::Strategy::automatic;  ///< as asked for
  config::Features features = config::Features::exchange;
  Grid automatic;                   ///< grid that strategy `auto` takes
  std::vector<Candidate> compared;  ///< candidates, by H; the chosen one is among them
  MemoryLimits limits;
  std::int64_t largest_batch = 0;  ///< samples in a micro-batch that would still fit
  bool less_memory = false;  ///< parallel.batch is `auto`, and lack of memory makes it smaller than usual
  std::string reason;        ///< a sentence
  std::vector<std::string> warnings;
};

/// Number of samples in a micro-batch: that of `workload` where the configuration gives it. Otherwise
/// (`parallel.batch: auto`) it is the usual number, halved until every rank has the memory that it needs. So
/// it depends on the machines only where memory is short. The usual number when nothing fits. Throws as
/// `make_plan`.
std::int64_t choose_batch(Workload workload, const Topology& topology, const config::Parallel& wanted);

/// Plans the job. Strategy `auto` means data parallelism unless a rank cannot hold all heads or another grid
/// is clearly faster. Other strategies are obeyed, and still compared. Depends on nothing but its arguments.
/// Throws Error(config) when the grid asked for has more ranks than there are.
Plan make_plan(const Workload& workload, const Topology& topology, const config::Parallel& wanted);

}  // namespace polyhead::plan
