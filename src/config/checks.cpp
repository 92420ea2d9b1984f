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

/// Location of the name of member `index`.
Location location_of_name(const Loaded& loaded, std::size_t index) {
  for (const char* option : {".name", ".weights", ".program", ""}) {
    const auto found = loaded.where.find(fmt::format("{}[{}]{}", loaded.members, index, option));
    if (found != loaded.where.end()) return found->second;
  }
  return {};
}

void name_by_file(Head& head, const Location& where, Context& context) {
  head.name = head.file().stem().string();
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

namespace {

/// Options of heads that mean nothing for a whole model.
void check_whole(const Head& head, const Node& node, Context& context) {
  const Head fresh;
  const bool program = !head.program.empty();
  const auto refuse = [&](const char* option, bool given, const char* whose) {
    const Node* const found = node.find(option);
    if (!given || found == nullptr) return;
    context.fail(found->where, fmt::format("'{}' is for {}; this member is a whole model with '{}'", option,
                                           whose, program ? "program" : "arch"));
  };
  const auto of_weights = [&](const char* option, bool given) {
    refuse(option, given && program, "members whose weights are given");
  };
  const auto of_heads = [&](const char* option, bool given) { refuse(option, given, "heads on a backbone"); };
  of_weights("arch", !head.arch.empty());
  of_weights("weights", !head.weights.empty());
  of_weights("key", !head.key.empty());
  of_weights("batchnorm_eps", head.batchnorm_eps != fresh.batchnorm_eps);
  of_heads("layers", !head.layers.empty());
  of_heads("prefix", head.prefix.has_value());
  of_heads("rename", !head.rename.empty());
  of_heads("trunk", head.trunk != fresh.trunk);
  of_heads("layernorm_eps", head.layernorm_eps != fresh.layernorm_eps);
}

}  // namespace

void check_head(Head& head, const Node& node, Context& context) {
  const Node* glob = node.find("glob");
  const Node* weights = node.find("weights");
  const Node* program = node.find("program");
  const bool has_name = node.find("name") != nullptr;
  const Node* const file = program != nullptr ? program : weights;
  if (head.is_whole()) check_whole(head, node, context);
  if (glob != nullptr && (has_name || file != nullptr)) {
    context.fail(glob->where,
                 fmt::format("'glob' and '{}' exclude each other; a head has either 'weights' (one file) or "
                             "'glob' (a head for each file that matches)",
                             program != nullptr   ? "program"
                             : weights != nullptr ? "weights"
                                                  : "name"));
  } else if (glob == nullptr && file == nullptr) {
    context.fail(
        node.where,
        "'weights' (one file), 'program' (a whole model) or 'glob' (a member for each file that matches) is "
        "required");
  } else if (file != nullptr && !has_name && !head.file().empty()) {
    name_by_file(head, file->where, context);
  }
}

void check_members(Config& config, const Node& node, Context& context) {
  const Node* const members = node.find("members");
  const Node* const heads = node.find("heads");
  if (members == nullptr && heads == nullptr) {
    context.fail(node.where, "'members' is required (list of at least one head: The ensemble's members)");
  } else if (members != nullptr && heads != nullptr) {
    context.fail(heads->where,
                 "'heads' and 'members' exclude each other: 'heads' is the old name of 'members'");
  }
  const Node* const list = members != nullptr ? members : heads;
  for (std::size_t i = 0; i < config.heads.size(); ++i) {
    if (config.heads[i].is_whole() == config.heads.front().is_whole()) continue;
    context.fail(
        list != nullptr && i < list->items.size() ? list->items[i].where : node.where,
        "heads on a backbone and whole models cannot be members of one ensemble yet: export the backbone "
        "with its head as one 'program'");
    break;
  }
  const Node* const backbone = node.find("backbone");
  if (config.has_whole_members() && backbone != nullptr && backbone->kind != Node::Kind::null)
    context.fail(backbone->where, "the members are whole models, which have no backbone: leave it out");
  if (!config.has_whole_members()) return;
  config.backbone.engine = Engine::libtorch;
  const Node* const parallel = node.find("parallel");
  const Node* const device = parallel == nullptr ? nullptr : parallel->find("device");
  if (device != nullptr && config.parallel.device == Device::cuda)
    context.fail(device->where, "members that are whole models are computed on CPUs yet: say cpu, or auto");
  const Node* const output = node.find("output");
  const Node* const cache = output == nullptr ? nullptr : output->find("cache");
  if (cache != nullptr && config.output.cache != Cache::none)
    context.fail(cache->where, "what whole models share is not cached yet: say none");
}

std::vector<Issue> repeated_names(const Loaded& loaded) {
  const std::vector<Head>& heads = loaded.config.heads;
  std::vector<Issue> issues;
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    if (heads[i].name.empty()) continue;
    const auto [first, is_new] = seen.emplace(heads[i].name, i);
    if (is_new) continue;
    issues.push_back(
        {location_of_name(loaded, i),
         fmt::format("the name {} is already taken by the head at {}; heads need names that differ",
                     shown(heads[i].name), location_of_name(loaded, first->second).str())});
  }
  return issues;
}

std::vector<Issue> unused_weights(const Loaded& loaded) {
  const Config& config = loaded.config;
  const auto rule = std::ranges::find(kFusionRules, config.fusion.rule, &FusionRuleWord::value);
  if (rule->weighs) return {};
  std::vector<Issue> issues;
  for (std::size_t i = 0; i < config.heads.size(); ++i) {
    if (config.heads[i].weight == Head{}.weight) continue;
    const std::string key = fmt::format("{}[{}].weight", loaded.members, i);
    issues.push_back(
        {loaded.where.at(key), fmt::format("{}: the rule {} counts all heads the same; leave the weight "
                                           "out, or choose another fusion.rule",
                                           key, rule->text)});
  }
  return issues;
}

}  // namespace polyhead::config
