#include "head_match.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "naming.hpp"
#include "parameter_groups.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead::model {
namespace {

/// Parameters that one layer of the head must hold.
struct ExpectedGroup {
  std::string name;  // "0."
  std::vector<const ExpectedParameter*> parameters;
};

std::vector<ExpectedGroup> expected_groups(const std::vector<ExpectedParameter>& expected) {
  std::vector<ExpectedGroup> groups;
  for (const ExpectedParameter& parameter : expected) {
    const std::string module = split_leaf(parameter.name).first;
    if (groups.empty() || groups.back().name != module) groups.push_back({module, {}});
    groups.back().parameters.push_back(&parameter);
  }
  return groups;
}

const checkpoint::CheckpointTensor* leaf_of(const ParameterGroup& group, const ExpectedParameter& parameter) {
  const auto found = group.leaves.find(split_leaf(parameter.name).second);
  return found == group.leaves.end() ? nullptr : found->second;
}

bool may_be_missing(const ExpectedGroup& wanted, const ExpectedParameter& parameter,
                    const ParameterGroup& group) {
  if (parameter.optional) return true;
  return std::ranges::any_of(wanted.parameters, [&](const ExpectedParameter* other) {
    return other->name == parameter.pair && leaf_of(group, *other) == nullptr;
  });
}

/// Whether the file's module can be the layer: it holds all of its parameters with the right shapes, and no
/// others.
bool can_be(const ParameterGroup& group, const ExpectedGroup& wanted) {
  std::size_t found = 0;
  for (const ExpectedParameter* parameter : wanted.parameters) {
    const checkpoint::CheckpointTensor* tensor = leaf_of(group, *parameter);
    if (tensor == nullptr ? !may_be_missing(wanted, *parameter, group)
                          : !fits_shape(parameter->shape, tensor->shape))
      return false;
    if (tensor != nullptr) ++found;
  }
  return found > 0 && found == group.leaves.size();
}

std::vector<const checkpoint::CheckpointTensor*> tensors_of(
    const std::vector<const ParameterGroup*>& groups) {
  std::vector<const checkpoint::CheckpointTensor*> tensors;
  for (const ParameterGroup* group : groups) {
    for (const auto& [leaf, tensor] : group->leaves) tensors.push_back(tensor);
  }
  return tensors;
}

/// Assignment of the file's modules to the head's layers.
class Chain {
 public:
  Chain(const std::vector<ParameterGroup>& groups, const std::vector<ExpectedGroup>& wanted,
        const HeadLookup& lookup)
      : groups_(groups), wanted_(wanted), lookup_(lookup) {
    for (const ExpectedGroup& layer : wanted_) {
      std::vector<std::size_t>& can = candidates_.emplace_back();
      for (std::size_t i = 0; i < groups_.size(); ++i) {
        if (can_be(groups_[i], layer)) can.push_back(i);
      }
    }
  }

  /// Matches; nothing where some layer has no candidate.
  [[nodiscard]] std::vector<Match> matches() const {
    if (std::ranges::any_of(candidates_, [](const auto& can) { return can.empty(); })) return {};
    if (wanted_.size() > 1) return {of_several()};
    std::vector<Match> matches;
    for (const std::size_t group : candidates_.front()) matches.push_back(with({group}));
    return matches;
  }

 private:
  /// Assigns several layers. A layer with one candidate takes it from the others, until all are settled or
  /// only ambiguous ones are left.
  [[nodiscard]] Match of_several() const {
    std::vector<std::vector<std::size_t>> left = candidates_;
    std::vector<std::size_t> chosen(left.size());
    for (std::size_t settled = 0; settled < left.size(); ++settled) {
      const auto sure = std::ranges::find_if(left, [](const auto& can) { return can.size() == 1; });
      if (sure == left.end()) return undecided(left);
      const std::size_t group = sure->front();
      chosen[static_cast<std::size_t>(sure - left.begin())] = group;
      for (auto& can : left) std::erase(can, group);
    }
    if (!std::ranges::is_sorted(chosen)) return undecided(candidates_);
    return with(chosen);
  }

  [[nodiscard]] Match undecided(const std::vector<std::vector<std::size_t>>& left) const {
    const auto open = std::ranges::max_element(left, {}, [](const auto& can) { return can.size(); });
    const std::string layer = wanted_[static_cast<std::size_t>(open - left.begin())].name;
    Match match;
    match.right = 1;  // closer than a file with none of the right names
    match.problems.push_back(fmt::format(
        "its modules can be the head's layers in more than one way: {}; say which is which with rename:, as "
        "rename: {{{}: {}}}",
        names_of(groups_), trimmed(groups_.front().name), trimmed(layer)));
    return match;
  }

  [[nodiscard]] Match with(const std::vector<std::size_t>& chosen) const {
    Match match;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const ParameterGroup& group = groups_[chosen[i]];
      for (const ExpectedParameter* parameter : wanted_[i].parameters) {
        if (const checkpoint::CheckpointTensor* tensor = leaf_of(group, *parameter))
          match.found.emplace(parameter->name, tensor);
      }
      names.push_back(fmt::format("{} for {}", trimmed(group.name), trimmed(wanted_[i].name)));
    }
    match.right = match.found.size();
    if (chosen.size() == 1) {
      match.prefix = groups_[chosen.front()].name;
    } else {
      match.naming = join(names);
    }
    note_the_rest(chosen, match);
    return match;
  }

  /// Notes modules that are no layer. Under a prefix from the user they make the head another one. Elsewhere
  /// they may, and only the user knows.
  void note_the_rest(const std::vector<std::size_t>& chosen, Match& match) const {
    std::vector<const ParameterGroup*> rest;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      const bool rival = wanted_.size() == 1 && std::ranges::count(candidates_.front(), i) > 0;
      const bool of_training = std::ranges::all_of(
          groups_[i].leaves, [](const auto& leaf) { return is_of_training(leaf.second); });
      if (!rival && !of_training && std::ranges::count(chosen, i) == 0) rest.push_back(&groups_[i]);
    }
    if (rest.empty()) return;
    const auto tensors = tensors_of(rest);
    if (lookup_.prefix || chosen.size() > 1) {
      match.problems.push_back(
          fmt::format("{} fits, but {} is in the file, too, and in no layer of the head",
                      match.naming.empty() ? fmt::format("'{}'", match.prefix) : match.naming,
                      describe_tensors(tensors)));
    } else {
      match.problems.push_back(
          fmt::format("'{}' fits, but the file holds more that is neither the backbone nor this head: {}. If "
                      "it belongs to the head, name its layers; if not, say prefix: '{}'",
                      match.prefix, describe_tensors(tensors), match.prefix));
    }
  }

  static std::string trimmed(const std::string& name) {
    return name.empty() ? "''" : name.substr(0, name.size() - 1);
  }

  static std::string names_of(const std::vector<ParameterGroup>& groups) {
    constexpr std::size_t kMax = 6;
    std::vector<std::string> names;
    for (const ParameterGroup& group : groups) {
      if (names.size() < kMax) names.push_back(trimmed(group.name));
    }
    if (groups.size() > kMax) names.emplace_back("...");
    return join(names);
  }

  const std::vector<ParameterGroup>& groups_;
  const std::vector<ExpectedGroup>& wanted_;
  const HeadLookup& lookup_;
  std::vector<std::vector<std::size_t>> candidates_;  // candidates per layer: modules of the file
};

/// Values derived from a module's parameters.
struct SeenLayer {
  config::LayerKind kind = config::LayerKind::linear;
  std::int64_t in = 0;
  std::int64_t out = 0;
};

std::optional<SeenLayer> seen_layer(const ParameterGroup& group) {
  const auto weight = group.leaves.find("weight");
  if (group.leaves.count("running_mean") > 0) return SeenLayer{config::LayerKind::batchnorm, 0, 0};
  if (weight == group.leaves.end()) return std::nullopt;
  const std::vector<std::int64_t>& shape = weight->second->shape;
  if (shape.size() == 1) return SeenLayer{config::LayerKind::layernorm, shape[0], shape[0]};
  if (shape.size() < 2 || !fits_shape({shape[0], shape[1]}, shape)) return std::nullopt;
  const auto bias = group.leaves.find("bias");
  const bool bias_fits = bias == group.leaves.end() || bias->second->shape == std::vector{shape[0]};
  if (!bias_fits || group.leaves.size() > 2) return std::nullopt;
  return SeenLayer{config::LayerKind::linear, shape[1], shape[0]};
}

/// The layer in the configuration's form.
std::string layer_text(const ParameterGroup& group) {
  const auto seen = seen_layer(group);
  if (!seen)
    return fmt::format("<{}?>", group.name.empty() ? "?" : group.name.substr(0, group.name.size() - 1));
  if (seen->kind == config::LayerKind::linear) return fmt::format("linear {}", seen->out);
  return seen->kind == config::LayerKind::batchnorm ? "batchnorm" : "layernorm";
}

std::string suggestion(const std::vector<ParameterGroup>& groups) {
  constexpr std::size_t kMax = 12;
  std::vector<std::string> layers;
  for (const ParameterGroup& group : groups) {
    if (layers.size() < kMax) layers.push_back(layer_text(group));
  }
  if (groups.size() > kMax) layers.emplace_back("...");
  return fmt::format("layers: [{}]", join(layers));
}

std::string problem_of_guess(const std::vector<ParameterGroup>& groups,
                             const std::vector<std::string>& linears, std::int64_t features) {
  const std::string found = suggestion(groups);
  if (groups.empty()) return "holds no head that layers could be found from";
  if (linears.empty())
    return fmt::format("holds no linear layer from the backbone's {} features: its modules look like {}",
                       features, found);
  if (linears.size() == groups.size() && groups.size() > 1) {
    const std::string star = starred(linears);
    return fmt::format(
        "holds {} linear layers from {} features, '{}' for one: say which with prefix: '{}'{}",
        linears.size(), features, linears.front(), linears.front(),
        star.empty() ? "" : fmt::format(", or all of them, a head each, with prefix: '{}'", star));
  }
  return fmt::format(
      "leaves more than one reading of its layers: it looks like {}; write that under the head, "
      "with what has no parameters (relu, gelu, tanh, dropout, flatten) in its places",
      found);
}

std::vector<std::string> words_of_prefix(const std::string& prefix) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < prefix.size();) {
    const std::size_t end = std::min(prefix.size(), prefix.find('.', begin));
    words.push_back(prefix.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

}  // namespace

std::vector<Match> match_head(const checkpoint::Checkpoint& file,
                              const std::vector<ExpectedParameter>& expected, const HeadLookup& lookup) {
  Lookup plain{lookup.prefix, {}, {}, lookup.trunk};
  if (!lookup.rename.empty())
    plain.in_file = [&](const std::string& ours) { return renamed_in_file(lookup.rename, ours); };
  std::vector<Match> matches = match_parameters(file, expected, plain);
  if (matches.front().fits() || !lookup.rename.empty()) return matches;
  const std::vector<ParameterGroup> groups = groups_of(file, lookup);
  const std::vector<ExpectedGroup> wanted = expected_groups(expected);
  if (wanted.empty()) return matches;
  std::vector<Match> chained = Chain(groups, wanted, lookup).matches();
  // A reading with the right names reports what is missing or superfluous.
  const bool nearer =
      !chained.empty() && (chained.front().fits() || chained.front().right > matches.front().right);
  return nearer ? chained : matches;
}

GuessedHead guess_head(const checkpoint::Checkpoint& file, const HeadLookup& lookup, std::int64_t features) {
  const std::vector<ParameterGroup> groups = groups_of(file, lookup);
  std::vector<std::string> linears;
  std::int64_t width = 0;
  for (const ParameterGroup& group : groups) {
    const auto seen = seen_layer(group);
    if (!seen || seen->kind != config::LayerKind::linear || seen->in != features) continue;
    linears.push_back(group.name);
    width = seen->out;
  }
  if (linears.size() == 1 && groups.size() == 1) return {{{config::LayerKind::linear, width, 0}}, ""};
  return {{}, problem_of_guess(groups, linears, features)};
}

std::string starred(const std::vector<std::string>& prefixes) {
  if (prefixes.size() < 2) return "";
  std::vector<std::string> words = words_of_prefix(prefixes.front());
  std::optional<std::size_t> place;
  for (const std::string& prefix : prefixes) {
    const std::vector<std::string> other = words_of_prefix(prefix);
    if (other.size() != words.size()) return "";
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] == other[i] || place == i) continue;
      if (place) return "";
      place = i;
    }
  }
  if (!place) return "";
  words[*place].assign(1, '*');
  return join(words, ".") + ".";
}

}  // namespace polyhead::model
