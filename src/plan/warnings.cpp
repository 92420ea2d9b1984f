#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "explain.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/plan/micro_batches.hpp"

namespace polyhead::plan {
namespace {

constexpr double kPoor = 0.9;           // efficiency below which a reason is given
constexpr std::int64_t kFewSteps = 20;  // steps of a rank below which the last one shows
constexpr double kSlower = 1.05;        // factor over the time of auto from which it is mentioned

const Candidate& find(const Plan& plan, const Grid& grid) {
  return *std::ranges::find(plan.compared, grid, &Candidate::grid);
}

class Warnings {
 public:
  Warnings(const Plan& plan, const Workload& workload, const Topology& topology)
      : plan_(plan), workload_(workload), topology_(topology), chosen_(plan.chosen) {}

  std::vector<std::string> all() {
    memory();
    smaller_batch();
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
         human_bytes(static_cast<std::uint64_t>(excess.needed)), excess.where(),
         human_bytes(static_cast<std::uint64_t>(excess.limit)), cure);
  }

  void smaller_batch() {
    if (!plan_.less_memory) return;
    warn(
        "parallel.batch: auto is {} here, since {} images at a time do not fit into memory; where there is "
        "more, set it to {} for the same bits",
        workload_.batch, kDefaultBatch, workload_.batch);
  }

  void surplus() {
    const int idle = topology_.ranks - chosen_.grid.ranks();
    if (idle == 0) return;
    warn("{} of {} ranks will idle: a grid of {} uses {}", idle, topology_.ranks, text_of(chosen_.grid),
         chosen_.grid.ranks());
  }

  /// Ranks that own no micro-batch and have no share of the heads for those of others.
  void no_work() {
    const std::int64_t groups = (workload_.micro_batches() + chosen_.grid.heads - 1) / chosen_.grid.heads;
    if (groups >= chosen_.grid.data) return;
    warn("there {} only {}: {} of {} ranks get none; a smaller parallel.batch (now {}) makes more of them",
         workload_.micro_batches() == 1 ? "is" : "are", counted(workload_.micro_batches(), "micro-batch"),
         (chosen_.grid.data - groups) * chosen_.grid.heads, topology_.ranks, workload_.batch);
  }

  void slower_than_automatic() {
    if (plan_.strategy == config::Strategy::automatic || chosen_.grid == plan_.automatic) return;
    const Candidate& better = find(plan_, plan_.automatic);
    if (!better.fits || chosen_.estimate.working < kSlower * better.estimate.working) return;
    warn("parallel.strategy: auto would take {}, in {} instead of {}", text_of(better.grid),
         fine_seconds(better.estimate.working), fine_seconds(chosen_.estimate.working));
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
          "fewer ranks help{}",
          workload_.batch, workload_.head_scores ? ", and so does output.head_scores: false" : "");
    } else if (estimate.bottleneck == Bottleneck::reading && !topology_.reading.shares_cores) {
      warn(
          "images are read and decoded at {:.0f}% of the speed of computing; more cores a rank "
          "(data.workers, now {}) help",
          100 * (estimate.step.backbone + estimate.step.heads + estimate.step.fusing) / estimate.step.reading,
          topology_.reading.workers);
    } else if (estimate.bottleneck == Bottleneck::exchange) {
      warn("the exchange takes longer than computing{}",
           plan_.features == config::Features::exchange ? "; parallel.features: local may be faster" : "");
    }
  }

  void tail() {
    const Estimate& estimate = chosen_.estimate;
    if (workload_.micro_batches() < chosen_.grid.ranks()) return;  // already said
    if (estimate.efficiency >= kPoor || estimate.steps >= kFewSteps || estimate.steps == 0) return;
    const double full = static_cast<double>(workload_.micro_batches()) /
                        static_cast<double>(estimate.steps * chosen_.grid.ranks());
    if (full >= kPoor || enough_ranks() >= chosen_.grid.ranks()) return;
    warn("{} on {} make {}, of which the last leaves ranks idle; as long takes a run on {}",
         counted(workload_.micro_batches(), "micro-batch"), counted(chosen_.grid.ranks(), "rank"),
         counted(estimate.steps, "step"), counted(enough_ranks(), "rank"));
  }

  /// Fewest ranks of the same H that need no more steps.
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

std::vector<std::string> warnings_of(const Plan& plan, const Workload& workload, const Topology& topology) {
  return Warnings(plan, workload, topology).all();
}

}  // namespace polyhead::plan
