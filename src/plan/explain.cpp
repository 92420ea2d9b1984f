#include "explain.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "group.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/config/names.hpp"

namespace polyhead::plan {
namespace {

constexpr double kPoor = 0.9;           // efficiency below which a reason is given
constexpr std::int64_t kFewSteps = 20;  // steps of a rank below which the last one shows
constexpr double kSlower = 1.05;        // than what auto would take, before it is mentioned

std::string bytes(std::int64_t count) {
  return human_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(0, count)));
}

std::string counted(std::int64_t count, std::string_view noun) {
  const std::string_view ending = count == 1 ? "" : noun.ends_with("ch") ? "es" : "s";
  return fmt::format("{} {}{}", count, noun, ending);
}

const Candidate& find(const Plan& plan, const Grid& grid) {
  return *std::ranges::find(plan.compared, grid, &Candidate::grid);
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

/// The need that is furthest beyond its limit.
struct Excess {
  std::int64_t rank = 0;
  bool gpu = false;
  std::int64_t needed = 0;
  std::int64_t limit = 0;

  [[nodiscard]] std::string_view where() const { return gpu ? "GPU" : "host"; }
};

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
      counted(chosen.grid.ranks(), "rank"), human_seconds(chosen.estimate.working),
      human_seconds(data.estimate.working));
}

class Warnings {
 public:
  Warnings(const Plan& plan, const Workload& workload, const Topology& topology)
      : plan_(plan), workload_(workload), topology_(topology), chosen_(plan.chosen) {}

  std::vector<std::string> all() {
    memory();
    surplus();
    no_work();
    slower_than_automatic();
    spans_nodes();
    bottleneck();
    tail();
    return std::move(texts_);
  }

 private:
  template <class... Arguments>
  void warn(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    texts_.push_back(fmt::format(text, std::forward<Arguments>(arguments)...));
  }

  void memory() {
    if (chosen_.fits) return;
    const Excess excess = excess_of(chosen_, plan_.limits);
    const std::string cure =
        plan_.largest_batch > 0
            ? fmt::format("the largest parallel.batch that fits is {}", plan_.largest_batch)
            : std::string(
                  "no micro-batch is small enough: more ranks to share the heads, fewer ranks a node, or "
                  "more memory are needed");
    warn("it does not fit: rank {} needs {} of {} memory and may use {}; {}", excess.rank,
         bytes(excess.needed), excess.where(), bytes(excess.limit), cure);
  }

  void surplus() {
    const int idle = topology_.ranks - chosen_.grid.ranks();
    if (idle == 0) return;
    warn("{} of {} ranks will idle: a grid of {} uses {}", idle, topology_.ranks, text_of(chosen_.grid),
         chosen_.grid.ranks());
  }

  /// Ranks that own no micro-batch and have no share of the heads of those of others.
  void no_work() {
    const std::int64_t groups = (workload_.micro_batches() + chosen_.grid.heads - 1) / chosen_.grid.heads;
    if (groups >= chosen_.grid.data) return;
    warn("there are only {}: {} of {} ranks get none; a smaller parallel.batch (now {}) makes more of them",
         counted(workload_.micro_batches(), "micro-batch"), (chosen_.grid.data - groups) * chosen_.grid.heads,
         topology_.ranks, workload_.batch);
  }

  void slower_than_automatic() {
    if (plan_.strategy == config::Strategy::automatic || chosen_.grid == plan_.automatic) return;
    const Candidate& better = find(plan_, plan_.automatic);
    if (!better.fits || chosen_.estimate.working < kSlower * better.estimate.working) return;
    warn("parallel.strategy: auto would take {}, in {} instead of {}", text_of(better.grid),
         human_seconds(better.estimate.working), human_seconds(chosen_.estimate.working));
  }

  void spans_nodes() {
    const int heads = chosen_.grid.heads;
    if (heads == 1 || topology_.nodes() == 1 || topology_.ranks_per_node % heads == 0) return;
    warn("groups of {} ranks reach over nodes of {}, so they exchange over the network", heads,
         topology_.ranks_per_node);
  }

  void bottleneck() {
    const Estimate& estimate = chosen_.estimate;
    if (estimate.bottleneck == Bottleneck::rank0) {
      warn(
          "rank 0 cannot take in rows as fast as the others make them; a larger parallel.batch (now {}) or "
          "fewer "
          "ranks help{}",
          workload_.batch, workload_.head_scores ? ", and so does output.head_scores: false" : "");
    } else if (estimate.bottleneck == Bottleneck::reading && !topology_.reading.shares_cores) {
      warn(
          "images are read and decoded at {:.0f}% of the speed of computing; more cores a rank "
          "(data.workers, now "
          "{}) help",
          100 * (estimate.step.backbone + estimate.step.heads + estimate.step.fusing) / estimate.step.reading,
          topology_.reading.workers);
    } else if (estimate.bottleneck == Bottleneck::exchange) {
      warn("the exchange takes longer than computing{}",
           plan_.features == config::Features::exchange ? "; parallel.features: local may be faster" : "");
    }
  }

  void tail() {
    const Estimate& estimate = chosen_.estimate;
    if (workload_.micro_batches() < chosen_.grid.ranks()) return;  // said already
    if (estimate.efficiency >= kPoor || estimate.steps >= kFewSteps || estimate.steps == 0) return;
    const double full = static_cast<double>(workload_.micro_batches()) /
                        static_cast<double>(estimate.steps * chosen_.grid.ranks());
    if (full >= kPoor) return;
    warn("{} on {} make {}, of which the last leaves ranks idle; the same time takes {}",
         counted(workload_.micro_batches(), "micro-batch"), counted(chosen_.grid.ranks(), "rank"),
         counted(estimate.steps, "step"), counted(enough_ranks(), "rank"));
  }

  /// The fewest ranks of the same H that need no more steps.
  [[nodiscard]] std::int64_t enough_ranks() const {
    const std::int64_t in_steps = (workload_.micro_batches() + chosen_.grid.heads - 1) / chosen_.grid.heads;
    return (in_steps + chosen_.estimate.steps - 1) / chosen_.estimate.steps * chosen_.grid.heads;
  }

  const Plan& plan_;
  const Workload& workload_;
  const Topology& topology_;
  const Candidate& chosen_;
  std::vector<std::string> texts_;
};

}  // namespace

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

std::vector<std::string> warnings_of(const Plan& plan, const Workload& workload, const Topology& topology) {
  return Warnings(plan, workload, topology).all();
}

}  // namespace polyhead::plan
