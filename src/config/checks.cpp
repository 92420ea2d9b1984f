#include "checks.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "polyhead/config/fusion_rule.hpp"
#include "polyhead/config/names.hpp"
#include "texts.hpp"

namespace polyhead::config {
namespace {

/// Location of the name of head `index`.
Location location_of_name(const Locations& where, std::size_t index) {
  for (const char* option : {".name", ".weights", ""}) {
    const auto found = where.find(fmt::format("heads[{}]{}", index, option));
    if (found != where.end()) return found->second;
  }
  return {};
}

void name_by_file(Head& head, const Location& where, Context& context) {
  head.name = head.weights.stem().string();
  if (const auto problem = problem_of_head_name(head.name)) {
    context.fail(where, fmt::format("the file's name {} would be the head's and {}; give the head a 'name'",
                                    shown(head.name), *problem));
  }
}

}  // namespace

void check_preprocess(Preprocess& preprocess, const Node& node, Context& context) {
  if (!preprocess.resize || !preprocess.crop || *preprocess.crop <= *preprocess.resize) return;
  context.fail(node.find("crop")->where,
               fmt::format("a crop of {0} pixels does not fit into images resized to {1}; "
                           "make crop at most {1} or resize at least {0}",
                           *preprocess.crop, *preprocess.resize));
}

void check_parallel(Parallel& parallel, const Node& node, Context& context) {
  const Node* strategy = node.find("strategy");
  const std::string_view word = name(parallel.strategy);
  if (strategy != nullptr && strategy->text != word) return;  // already refused
  const bool wants_grid = parallel.strategy == Strategy::grid;
  if (wants_grid && !parallel.grid) {
    context.fail(strategy->where,
                 "the strategy is grid, so 'grid' is required (grid: {data: D, heads: H}: D groups of ranks "
                 "that share the data, H ranks in each that share the heads)");
  } else if (!wants_grid && parallel.grid) {
    context.fail(node.find("grid")->where,
                 fmt::format("a grid is given, but the strategy is {}; write strategy: grid, or leave out "
                             "the grid",
                             word));
  }
}

void check_head(Head& head, const Node& node, Context& context) {
  const Node* glob = node.find("glob");
  const Node* weights = node.find("weights");
  const bool has_name = node.find("name") != nullptr;
  if (glob != nullptr && (has_name || weights != nullptr)) {
    context.fail(glob->where,
                 fmt::format("'glob' and '{}' exclude each other; a head has either 'weights' (one file) or "
                             "'glob' (a head for each file that matches)",
                             weights != nullptr ? "weights" : "name"));
  } else if (glob == nullptr && weights == nullptr) {
    context.fail(node.where,
                 "'weights' (one file) or 'glob' (a head for each file that matches) is required");
  } else if (weights != nullptr && !has_name && !head.weights.empty()) {
    name_by_file(head, weights->where, context);
  }
}

std::vector<Issue> repeated_names(const std::vector<Head>& heads, const Locations& where) {
  std::vector<Issue> issues;
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    if (heads[i].name.empty()) continue;
    const auto [first, is_new] = seen.emplace(heads[i].name, i);
    if (is_new) continue;
    issues.push_back(
        {location_of_name(where, i),
         fmt::format("the name {} is already taken by the head at {}; heads need names that differ",
                     shown(heads[i].name), location_of_name(where, first->second).str())});
  }
  return issues;
}

std::vector<Issue> unused_weights(const Config& config, const Locations& where) {
  const auto rule = std::ranges::find(kFusionRules, config.fusion.rule, &FusionRuleWord::value);
  if (rule->weighs) return {};
  std::vector<Issue> issues;
  for (std::size_t i = 0; i < config.heads.size(); ++i) {
    if (config.heads[i].weight == Head{}.weight) continue;
    const std::string key = fmt::format("heads[{}].weight", i);
    issues.push_back(
        {where.at(key), fmt::format("{}: the rule {} counts all heads the same; leave the weight "
                                    "out, or choose another fusion.rule",
                                    key, rule->text)});
  }
  return issues;
}

}  // namespace polyhead::config
