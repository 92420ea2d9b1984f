#include "polyhead/fusion/rule.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "mean.hpp"
#include "median.hpp"
#include "polyhead/base/error.hpp"

namespace polyhead::fusion {
namespace {

/// Factory of a rule of `config::kFusionRules`.
struct Row {
  config::FusionRule rule;
  std::unique_ptr<Rule> (*make)(const std::vector<double>& weights, std::int64_t classes);
  bool calls_exp;
};

constexpr std::array kRows{Row{config::FusionRule::mean_logits, make_mean_logits, false},
                           Row{config::FusionRule::mean_probabilities, make_mean_probabilities, true},
                           Row{config::FusionRule::median, make_median, false}};
static_assert(kRows.size() == config::kFusionRules.size());

const Row& row_of(config::FusionRule rule) {
  const auto row = std::ranges::find(kRows, rule, &Row::rule);
  if (row == kRows.end()) throw Error(ExitCode::internal, "unknown fusion rule");
  return *row;
}

}  // namespace

std::unique_ptr<Rule> make_rule(config::FusionRule rule, const std::vector<double>& weights,
                                std::int64_t classes) {
  return row_of(rule).make(weights, classes);
}

bool calls_exp(config::FusionRule rule) {
  return row_of(rule).calls_exp;
}

}  // namespace polyhead::fusion
