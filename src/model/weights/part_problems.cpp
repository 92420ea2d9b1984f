#include "part_problems.hpp"

#include <fmt/format.h>

#include "polyhead/base/text.hpp"

namespace polyhead::model {
namespace {

constexpr std::size_t kHeadsShown = 3;
constexpr std::size_t kNamesShown = 3;

std::string first_names(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kNamesShown);
  const std::vector<std::string> first(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown));
  return join(first) + (names.size() > shown ? fmt::format(" and {} more", names.size() - shown) : "");
}

/// Text "12 of 100 parameters differ (a, b, c and 9 more)".
std::string in_numbers(const TrunkDifference& difference) {
  return fmt::format("{} of {} parameters differ{} ({})", difference.parameters.size(), difference.compared,
                     difference.only_statistics ? ", all of them running means and variances" : "",
                     first_names(difference.parameters));
}

}  // namespace

void FileProblems::add(const std::string& what, const std::filesystem::path& file,
                       const std::vector<std::string>& found) {
  if (++seen_[found] > kHeadsShown) return;
  for (const std::string& problem : found)
    problems_.add(ExitCode::bad_data, fmt::format("{} ({}): {}", what, file.string(), problem));
}

void FileProblems::count_the_rest() {
  for (const auto& [found, count] : seen_) {
    if (count > kHeadsShown)
      problems_.add(ExitCode::bad_data,
                    fmt::format("and so it is with {} more heads: {}", count - kHeadsShown, found.front()));
  }
}

void TrunkProblems::add(const config::Head& head, const std::filesystem::path& backbone,
                        const TrunkDifference& difference) {
  if (++count_ > kHeadsShown) return;
  problems_.add(
      ExitCode::bad_data,
      fmt::format("head '{}' ({}): was trained on another backbone than the job's ({}): {}{}", head.name,
                  head.weights.string(), backbone.string(), in_numbers(difference),
                  difference.only_statistics
                      ? "; the batch norms drifted, in train mode, while the rest was frozen: take this file "
                        "as backbone.weights for its head"
                      : ""));
}

void TrunkProblems::count_the_rest() {
  if (count_ > kHeadsShown)
    problems_.add(ExitCode::bad_data,
                  fmt::format("and {} more heads were trained on another backbone", count_ - kHeadsShown));
  if (count_ > 0)
    problems_.add(ExitCode::bad_data,
                  "one job computes one backbone for all heads; where a head is meant to be computed on the "
                  "job's all the same, write trunk: ignore at the head, or give --set "
                  "'heads[N].trunk=ignore', where N counts the YAML's heads from 0");
}

}  // namespace polyhead::model
