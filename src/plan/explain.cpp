#include "explain.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "group.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/config/names.hpp"

namespace polyhead::plan {
namespace {

std::string bytes(std::int64_t count) {
  return human_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(0, count)));
}

std::int64_t head_bytes(const Workload& workload) {
  std::int64_t sum = 0;
  for (const HeadCost& head : workload.heads) sum += head.bytes;
  return sum;
}

double share_of_heads(const Candidate& candidate) {
  const StepTime& step = candidate.estimate.step;
  const double heads = step.heads + step.fusing;
  return heads / (heads + step.backbone + step.reading);
}

std::string why_data(const Workload& workload, const Candidate& data) {
  return fmt::format(
      "every rank can hold all {} ({}), which are {:.1f}% of its work: sharing them out would not be faster",
      counted(static_cast<std::int64_t>(workload.heads.size()), "head"), bytes(head_bytes(workload)),
      100 * share_of_heads(data));
}

std::string why_grid(const Plan& plan, const Workload& workload, const Candidate& data) {
  const Candidate& chosen = plan.chosen;
  const auto heads = static_cast<std::int64_t>(workload.heads.size());
  if (!data.fits) {
    const Excess excess = excess_of(data, plan.limits);
    return fmt::format(
        "a rank with all {} ({}) would need {} of {} memory and may use {}; {} ranks share them",
        counted(heads, "head"), bytes(head_bytes(workload)), bytes(excess.needed), excess.where(),
        bytes(excess.limit), chosen.grid.heads);
  }
  return fmt::format(
      "the {} are {:.0f}% of the work and there are {} for {}: sharing the heads takes {} instead of {}",
      counted(heads, "head"), 100 * share_of_heads(data), counted(workload.micro_batches(), "micro-batch"),
      counted(chosen.grid.ranks(), "rank"), fine_seconds(chosen.estimate.working),
      fine_seconds(data.estimate.working));
}

}  // namespace

Excess excess_of(const Candidate& candidate, const MemoryLimits& limits) {
  Excess worst;
  std::int64_t most = 0;
  const auto look = [&](std::size_t member, bool gpu, std::int64_t needed, std::int64_t limit) {
    if (limit == 0 || needed - limit <= most) return;
    most = needed - limit;
    worst = {static_cast<std::int64_t>(member), gpu, needed, limit};
  };
  for (std::size_t member = 0; member < candidate.memory.size(); ++member) {
    look(member, true, candidate.memory[member].gpu.total(), limits.gpu);
    look(member, false, candidate.memory[member].host.total(), limits.host);
  }
  return worst;
}

std::string text_of(const Grid& grid) {
  return fmt::format("{} x {}", grid.data, grid.heads);
}

std::string explain_choice(const Plan& plan, const Workload& workload, const Topology& topology) {
  if (plan.strategy != config::Strategy::automatic) {
    return fmt::format("the configuration asks for it (parallel.strategy: {})", config::name(plan.strategy));
  }
  if (topology.ranks == 1) return "one rank does everything";
  const Candidate& data = plan.compared.front();
  if (!plan.chosen.fits) return "no grid fits into memory; this one comes closest";
  return plan.chosen.grid.heads == 1 ? why_data(workload, data) : why_grid(plan, workload, data);
}

}  // namespace polyhead::plan
