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

/// Who computes what, how long it takes and what memory it needs: pure functions of job and machines, shared
/// by `run`, `plan` and their tests.
namespace polyhead::plan {

/// One way to lay out the ranks.
struct Candidate {
  Grid grid;
  std::vector<HeadRange> heads;    ///< of each member of a group
  std::vector<RankMemory> memory;  ///< of each member of the first group
  Estimate estimate;
  bool fits = true;  ///< every rank has the memory it needs
};

/// What will be done, and what it was chosen from.
struct Plan {
  Candidate chosen;
  config::Strategy strategy = config::Strategy::automatic;  ///< as asked for
  config::Features features = config::Features::exchange;
  Grid automatic;                   ///< what strategy `auto` takes
  std::vector<Candidate> compared;  ///< what it was chosen from, by H; the chosen one is among them
  MemoryLimits limits;
  std::int64_t largest_batch = 0;  ///< samples in a micro-batch that would still fit
  bool less_memory = false;        ///< parallel.batch is `auto`, and less than usual for lack of memory
  std::string reason;              ///< a sentence
  std::vector<std::string> warnings;
};

/// Samples in a micro-batch: those of `workload` where the configuration gives them, else (`parallel.batch:
/// auto`) the usual number, halved until every rank has the memory that it needs. It only depends on the
/// machines where memory is short. The usual number when nothing fits. Throws as `make_plan`.
std::int64_t choose_batch(Workload workload, const Topology& topology, const config::Parallel& wanted);

/// Plans the job. With strategy `auto`, data parallelism unless a rank cannot hold all heads or another grid
/// is clearly faster; other strategies are obeyed, and compared all the same. Never looks at anything but its
/// arguments. Throws Error(config) when the grid asked for has more ranks than there are.
Plan make_plan(const Workload& workload, const Topology& topology, const config::Parallel& wanted);

}  // namespace polyhead::plan
