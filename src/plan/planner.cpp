#include "polyhead/plan/planner.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "explain.hpp"
#include "group.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/plan/micro_batches.hpp"

namespace polyhead::plan {
namespace {

constexpr int kSmall = 16;  // largest H up to which every number of ranks in a group is tried
constexpr double kClearly =
    0.95;  // share of data parallelism's time that a grid must reach to be taken instead
constexpr double kAsFast = 1.01;  // among grids, the smallest H that is about as fast as the best

void check_grid(const config::GridShape& grid, int ranks) {
  const std::int64_t needed = std::int64_t{grid.data} * grid.heads;
  if (needed <= ranks) return;
  throw Error(
      ExitCode::config,
      fmt::format("parallel.grid: a grid of {} x {} (data x heads) needs {} ranks, but {} {} started; start "
                  "{}, or choose a smaller grid",
                  grid.data, grid.heads, needed, ranks, ranks == 1 ? "was" : "were", needed));
}

/// Grid that the configuration asks for, if any.
std::optional<Grid> wanted_grid(const config::Parallel& wanted, int ranks) {
  switch (wanted.strategy) {
    case config::Strategy::data:
      return Grid{ranks, 1};
    case config::Strategy::heads:
      return Grid{1, ranks};
    case config::Strategy::grid:
      if (!wanted.grid) throw Error(ExitCode::internal, "make_plan: the strategy is grid, without a grid");
      check_grid(*wanted.grid, ranks);
      return Grid{wanted.grid->data, wanted.grid->heads};
    case config::Strategy::automatic:
      return std::nullopt;
  }
  return std::nullopt;
}

/// Sizes of head groups that are tried: small ones, those that leave no rank over, powers of two. A group
/// never needs more ranks than there are heads.
std::set<int> group_sizes(int ranks, std::size_t heads) {
  const int most = static_cast<int>(
      std::min<std::size_t>(static_cast<std::size_t>(ranks), std::max<std::size_t>(heads, 1)));
  std::set<int> sizes;
  for (int size = 1; size <= most; ++size) {
    const bool power = (size & (size - 1)) == 0;
    if (size <= kSmall || ranks % size == 0 || power) sizes.insert(size);
  }
  sizes.insert(most);
  return sizes;
}

class Planner {
 public:
  Planner(const Workload& workload, const Topology& topology, config::Features features)
      : workload_(workload), topology_(topology), features_(features), limits_(limits_of(topology)) {}

  [[nodiscard]] Candidate consider(const Grid& grid) const {
    Candidate candidate;
    candidate.grid = grid;
    candidate.heads = shares_of(workload_, grid.heads);
    candidate.estimate = estimate(workload_, topology_, grid, features_, candidate.heads);
    for (std::size_t member = 0; member < candidate.heads.size(); ++member) {
      candidate.memory.push_back(
          memory_of(workload_, topology_, grid, features_, candidate.heads[member], member == 0));
      candidate.fits = candidate.fits && fits(candidate.memory.back(), limits_);
    }
    return candidate;
  }

  /// Whether memory suffices for the grid, or, without one, for any grid that is tried.
  [[nodiscard]] bool any_fits(const std::optional<Grid>& grid) const {
    if (grid) return consider(*grid).fits;
    return std::ranges::any_of(group_sizes(topology_.ranks, workload_.heads.size()), [&](int size) {
      return consider({topology_.ranks / size, size}).fits;
    });
  }

  [[nodiscard]] std::vector<Candidate> consider_all() const {
    std::vector<Candidate> all;
    for (const int size : group_sizes(topology_.ranks, workload_.heads.size())) {
      all.push_back(consider({topology_.ranks / size, size}));
    }
    return all;
  }

  /// A candidate's memory relative to the limit: at most 1 when it fits.
  [[nodiscard]] double pressure(const Candidate& candidate) const {
    double most = 0;
    const auto share = [](std::int64_t used, std::int64_t limit) {
      return limit > 0 ? static_cast<double>(used) / static_cast<double>(limit) : 0;
    };
    for (const RankMemory& memory : candidate.memory) {
      most =
          std::max({most, share(memory.gpu.total(), limits_.gpu), share(memory.host.total(), limits_.host)});
    }
    return most;
  }

  [[nodiscard]] const Candidate& choose(const std::vector<Candidate>& all) const {
    double best = 0;
    for (const Candidate& candidate : all) {
      const double seconds = candidate.estimate.working;
      if (candidate.fits && (best == 0 || seconds < best)) best = seconds;
    }
    const Candidate& data = all.front();
    if (data.fits && best >= kClearly * data.estimate.working) return data;
    const auto good = std::ranges::find_if(all, [&](const Candidate& candidate) {
      return candidate.fits && candidate.estimate.working <= kAsFast * best;
    });
    if (good != all.end()) return *good;
    return *std::ranges::min_element(all, {}, [this](const Candidate& c) { return pressure(c); });
  }

  [[nodiscard]] const MemoryLimits& limits() const { return limits_; }

 private:
  const Workload& workload_;
  const Topology& topology_;
  config::Features features_;
  MemoryLimits limits_;
};

/// Keeps `compared` sorted by H, with the chosen candidate in it.
void compare_with(std::vector<Candidate>& compared, const Candidate& candidate) {
  const auto known = std::ranges::find(compared, candidate.grid, &Candidate::grid);
  if (known != compared.end()) return;
  const auto place = std::ranges::upper_bound(compared, candidate.grid.heads, {},
                                              [](const Candidate& c) { return c.grid.heads; });
  compared.insert(place, candidate);
}

}  // namespace

std::int64_t choose_batch(Workload workload, const Topology& topology, const config::Parallel& wanted) {
  const std::optional<Grid> grid = wanted_grid(wanted, topology.ranks);
  if (wanted.batch) return workload.batch;
  for (workload.batch = kDefaultBatch; workload.batch > 0; workload.batch /= 2) {
    if (Planner(workload, topology, wanted.features).any_fits(grid)) return workload.batch;
  }
  return kDefaultBatch;
}

Plan make_plan(const Workload& workload, const Topology& topology, const config::Parallel& wanted) {
  const std::optional<Grid> grid = wanted_grid(wanted, topology.ranks);
  const Planner planner(workload, topology, wanted.features);
  Plan plan;
  plan.features = wanted.features;
  plan.strategy = wanted.strategy;
  plan.limits = planner.limits();
  plan.less_memory = !wanted.batch && workload.batch < kDefaultBatch;
  plan.compared = planner.consider_all();
  plan.automatic = planner.choose(plan.compared).grid;
  plan.chosen = grid ? planner.consider(*grid) : planner.choose(plan.compared);
  compare_with(plan.compared, plan.chosen);
  plan.largest_batch = largest_batch(workload, topology, plan.chosen.grid, wanted.features);
  plan.reason = explain_choice(plan, workload, topology);
  plan.warnings = warnings_of(plan, workload, topology);
  return plan;
}

}  // namespace polyhead::plan
