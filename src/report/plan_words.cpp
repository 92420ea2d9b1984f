#include "plan_words.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "polyhead/base/text.hpp"
#include "text.hpp"

namespace polyhead::report {
namespace {

constexpr std::size_t kMaxMembers = 8;  // limit of the ranks whose heads are listed

}  // namespace

std::string_view strategy_of(const plan::Grid& grid) {
  if (grid.heads == 1) return "data";
  return grid.data == 1 ? "heads" : "grid";
}

std::string head_counts(const std::vector<plan::HeadRange>& heads) {
  const auto [least, most] = std::ranges::minmax(heads, {}, &plan::HeadRange::count);
  return least.count == most.count ? fmt::format("{}", least.count)
                                   : fmt::format("{}-{}", least.count, most.count);
}

std::string heads_text(const std::vector<plan::HeadRange>& heads) {
  if (heads.size() == 1)
    return fmt::format("every rank has {}", heads.front().count == 1
                                                ? "the only one"
                                                : fmt::format("all {}", heads.front().count));
  std::vector<std::string> members;
  for (std::size_t i = 0; i < std::min(heads.size(), kMaxMembers); ++i) {
    const plan::HeadRange& range = heads[i];
    members.push_back(range.count == 0 ? std::string("none")
                                       : fmt::format("{}-{}", range.first, range.first + range.count - 1));
  }
  if (heads.size() > kMaxMembers) members.emplace_back("...");
  return fmt::format("{} a rank; in a group of {} by number: {}", head_counts(heads), heads.size(),
                     join(members, ", "));
}

std::int64_t most_memory(const plan::Candidate& candidate, const plan::MemoryLimits& limits) {
  std::int64_t most = 0;
  for (const plan::RankMemory& memory : candidate.memory) {
    most = std::max(most, limits.gpu > 0 ? memory.gpu.total() : memory.host.total());
  }
  return most;
}

}  // namespace polyhead::report
