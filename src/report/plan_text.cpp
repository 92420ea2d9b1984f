#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "plan_words.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/report/plan.hpp"
#include "polyhead/report/sharing.hpp"
#include "text.hpp"

namespace polyhead::report {
namespace {

constexpr std::size_t kLabel = 12;
constexpr std::size_t kMaxRows = 9;  // limit of the comparison's rows
constexpr std::array<std::pair<std::string_view, std::int64_t plan::MemoryUse::*>, 6> kParts{
    {{"process", &plan::MemoryUse::process},
     {"backbone", &plan::MemoryUse::backbone},
     {"heads", &plan::MemoryUse::heads},
     {"activations", &plan::MemoryUse::activations},
     {"exchange", &plan::MemoryUse::exchange},
     {"reading", &plan::MemoryUse::loader}}};

std::string bytes(std::int64_t count) {
  return human_bytes(static_cast<std::uint64_t>(count));
}

std::string entry(std::string_view label, std::string_view text) {
  return fmt::format("{}{}\n", pad_right(label, kLabel), text);
}

std::string layout(const plan::Plan& plan, const plan::Workload& workload) {
  const plan::Candidate& chosen = plan.chosen;
  const plan::Grid& grid = chosen.grid;
  const plan::Estimate& estimate = chosen.estimate;
  std::string text =
      entry("plan", fmt::format("{} x {} (data x heads), {}", grid.data, grid.heads, strategy_of(grid)));
  text += entry("because", plan.reason);
  text += entry("heads", heads_text(chosen.heads));
  text += entry("work", fmt::format("{} micro-batches of {} images, at most {} a rank",
                                    workload.micro_batches(), workload.batch, estimate.steps));
  text += entry("time", fmt::format("{} working, after {} of setting up", fine_seconds(estimate.working),
                                    fine_seconds(estimate.setting_up)));
  text += entry("speed", fmt::format("{:.0f} images/s; {:.1f}% of what {} could reach; limited by {}",
                                     static_cast<double>(workload.samples) / estimate.working,
                                     100 * estimate.efficiency, counted(grid.ranks(), "rank"),
                                     plan::name(estimate.bottleneck)));
  return text;
}

std::string step(const plan::Plan& plan) {
  const plan::StepTime& step = plan.chosen.estimate.step;
  std::string text =
      fmt::format("reading {}, backbone {}, heads {}, fusing {}", fine_seconds(step.reading),
                  fine_seconds(step.backbone), fine_seconds(step.heads), fine_seconds(step.fusing));
  if (plan.chosen.grid.heads > 1) text += fmt::format(", exchange {}", fine_seconds(step.exchange));
  return entry("a step", fmt::format("{}: {}", fine_seconds(step.total), text));
}

std::string memory_line(std::string_view name, std::int64_t gpu, std::int64_t host, bool has_gpu) {
  const auto cell = [](std::int64_t count) { return count > 0 ? bytes(count) : std::string("-"); };
  const std::string column = has_gpu ? fmt::format("{:>12}", cell(gpu)) : "";
  return fmt::format("  {}{}{:>12}\n", pad_right(name, kLabel), column, cell(host));
}

std::string memory(const plan::Plan& plan) {
  const auto& ranks = plan.chosen.memory;
  const auto most = std::ranges::max_element(ranks, {}, [](const plan::RankMemory& memory) {
    return std::pair(memory.gpu.total(), memory.host.total());
  });
  const bool gpu = plan.limits.gpu > 0;
  std::string text = fmt::format("memory of rank {}, which needs most\n  {}{}{:>12}\n", most - ranks.begin(),
                                 pad_right("", kLabel), gpu ? fmt::format("{:>12}", "GPU") : "", "host");
  for (const auto& [name, part] : kParts) {
    text += memory_line(name, most->gpu.*part, most->host.*part, gpu);
  }
  text += memory_line("in all", most->gpu.total(), most->host.total(), gpu);
  text += memory_line("available", plan.limits.gpu, plan.limits.host, gpu);
  if (most->host.large_samples > 0) {
    text += fmt::format(
        "  at worst {} more, for images as large as data.max_pixels and data.max_file_size allow\n",
        bytes(most->host.large_samples));
  }
  if (plan.largest_batch == 0) return text;
  if (plan.largest_batch == plan::kMaxBatch) {
    return text +
           fmt::format("  micro-batches of up to {} images, the most that is tried, fit\n", plan::kMaxBatch);
  }
  return text + fmt::format("  the largest micro-batch that fits: {} images\n", plan.largest_batch);
}

/// Rows of the first, the chosen and the last candidate, and the fastest of the others.
std::set<std::size_t> rows_to_show(const plan::Plan& plan) {
  std::set<std::size_t> shown;
  const auto& all = plan.compared;
  const auto chosen = std::ranges::find(all, plan.chosen.grid, &plan::Candidate::grid) - all.begin();
  for (const std::size_t row : {std::size_t{0}, static_cast<std::size_t>(chosen), all.size() - 1})
    shown.insert(row);
  for (std::size_t row = 1; row < all.size() && shown.size() < kMaxRows; ++row) shown.insert(row);
  return shown;
}

std::string comparison(const plan::Plan& plan) {
  if (plan.compared.size() == 1) return "";
  std::string text = fmt::format("\n  {}{}{:>14}{:>12}{:>12}{:>12}\n", pad_right("data x heads", 14),
                                 pad_right("strategy", 10), "heads a rank", "time", "efficiency", "memory");
  const auto rows = rows_to_show(plan);
  for (const std::size_t row : rows) {
    const plan::Candidate& candidate = plan.compared[row];
    const plan::Grid& grid = candidate.grid;
    text += fmt::format("{} {}{}{:>14}{:>12}{:>11.1f}%{:>12}{}\n", grid == plan.chosen.grid ? ">" : " ",
                        pad_right(fmt::format("{} x {}", grid.data, grid.heads), 14),
                        pad_right(strategy_of(grid), 10), head_counts(candidate.heads),
                        fine_seconds(candidate.estimate.working), 100 * candidate.estimate.efficiency,
                        bytes(most_memory(candidate, plan.limits)), candidate.fits ? "" : "  does not fit");
  }
  const std::size_t left_out = plan.compared.size() - rows.size();
  return left_out == 0 ? text : text + fmt::format("  ... and {} more, which are not better\n", left_out);
}

std::string list(std::string_view title, const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  std::string text = fmt::format("\n{}\n", title);
  for (const std::string& line : lines) text += fmt::format("  - {}\n", one_line(line));
  return text;
}

}  // namespace

std::string plan_text(const plan::Plan& plan, const plan::Workload& workload, const PlanContext& context) {
  std::string text = fmt::format("{}\n{}\n\n", one_line(context.job), one_line(context.machines));
  text += layout(plan, workload) + step(plan) + "\n" + memory(plan) + comparison(plan);
  text += list("warnings", plan.warnings);
  text += list("measured on this machine", context.measured);
  text += list("assumed (polyhead plan --measure measures what it can)", context.assumed);
  if (context.sharing != nullptr) text += fmt::format("\n{}", sharing_text(*context.sharing));
  return text;
}

}  // namespace polyhead::report
