#include "trunk.hpp"

#include <algorithm>
#include <map>

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

namespace polyhead::model {
namespace {

constexpr std::size_t kConvDimensions = 4;

using ExpectedByName = std::unordered_map<std::string, const ExpectedParameter*>;

/// Adds a tensor to the trunk under each prefix after which the rest of its name, and its shape, are
/// expected.
void vote_for_trunks(const checkpoint::CheckpointTensor& tensor, const ExpectedByName& expected,
                     std::map<std::string, Trunk>& trunks) {
  for (std::size_t begin = 0;;) {
    const auto found = expected.find(tensor.name.substr(begin));
    if (found != expected.end() && found->second->shape == tensor.shape)
      trunks[tensor.name.substr(0, begin)].parameters.emplace(found->second->name, &tensor);
    const std::size_t dot = tensor.name.find('.', begin);
    if (dot == std::string::npos) return;
    begin = dot + 1;
  }
}

bool has_convolution(const Trunk& trunk) {
  return std::ranges::any_of(trunk.parameters,
                             [](const auto& item) { return item.second->shape.size() == kConvDimensions; });
}

using NamesInFile = std::function<std::vector<std::string>(const std::string&)>;

/// Adds the trunks of one naming. Of two under one prefix the fuller one stays.
void add_trunks(const checkpoint::Checkpoint& file, const std::vector<ExpectedParameter>& backbone,
                const NamesInFile& in_file, bool (*in_trunk)(std::string_view),
                std::map<std::string, Trunk>& all) {
  ExpectedByName expected;
  for (const ExpectedParameter& parameter : backbone) {
    for (std::string& name : in_file(parameter.name)) expected.emplace(std::move(name), &parameter);
  }
  std::map<std::string, Trunk> trunks;
  for (const checkpoint::CheckpointTensor& tensor : file) vote_for_trunks(tensor, expected, trunks);
  for (auto& [prefix, trunk] : trunks) {
    if (!has_convolution(trunk)) continue;
    trunk.prefix = prefix;
    for (const auto& [name, tensor] : trunk.parameters) trunk.tensors.insert(tensor);
    for (const checkpoint::CheckpointTensor& tensor : file) {
      const bool inside =
          tensor.name.starts_with(prefix) && in_trunk(std::string_view(tensor.name).substr(prefix.size()));
      if (inside) trunk.tensors.insert(&tensor);
    }
    Trunk& kept = all[prefix];
    if (trunk.parameters.size() > kept.parameters.size()) kept = std::move(trunk);
  }
}

template <class Short>
bool rounds_to(const std::vector<float>& wide, const std::vector<float>& rounded) {
  return std::equal(wide.begin(), wide.end(), rounded.begin(), rounded.end(), [](float value, float other) {
    return static_cast<float>(static_cast<Short>(value)) == other;
  });
}

bool same_but_for_rounding(const std::vector<float>& a, const std::vector<float>& b) {
  return a == b || rounds_to<c10::Half>(a, b) || rounds_to<c10::Half>(b, a) ||
         rounds_to<c10::BFloat16>(a, b) || rounds_to<c10::BFloat16>(b, a);
}

bool is_statistic(const std::string& name) {
  return name.ends_with(".running_mean") || name.ends_with(".running_var");
}

/// Number of common characters at the start, in whole words: 6 for "model.fc." and "model.backbone.".
std::size_t words_in_common(const std::string& a, const std::string& b) {
  const auto equal =
      static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  const std::size_t dot = equal == 0 ? std::string::npos : a.rfind('.', equal - 1);
  return dot == std::string::npos ? 0 : dot + 1;
}

}  // namespace

std::vector<Trunk> find_trunks(const checkpoint::Checkpoint& file,
                               const std::vector<ExpectedParameter>& backbone,
                               const config::Renames& rename) {
  const bool any = std::ranges::any_of(file, [](const checkpoint::CheckpointTensor& tensor) {
    return tensor.shape.size() == kConvDimensions;
  });
  if (!any) return {};
  std::map<std::string, Trunk> all;
  for (const Naming& naming : namings()) {
    add_trunks(
        file, backbone, [&](const std::string& ours) { return std::vector{naming.in_file(ours)}; },
        naming.in_trunk, all);
  }
  if (!rename.empty()) {
    add_trunks(
        file, backbone, [&](const std::string& ours) { return renamed_in_file(rename, ours); },
        namings().front().in_trunk, all);
  }
  std::vector<Trunk> trunks;
  for (auto& [prefix, trunk] : all) trunks.push_back(std::move(trunk));
  return trunks;
}

TrunkDifference compare_trunk(const Trunk& trunk, const Match& backbone,
                              const std::vector<ExpectedParameter>& expected) {
  TrunkDifference difference;
  for (const ExpectedParameter& parameter : expected) {
    const auto own = backbone.found.find(parameter.name);
    const auto other = trunk.parameters.find(parameter.name);
    if (own == backbone.found.end() || other == trunk.parameters.end()) continue;
    ++difference.compared;
    if (!same_but_for_rounding(own->second->values, other->second->values))
      difference.parameters.push_back(parameter.name);
  }
  difference.only_statistics = difference.any() && std::ranges::all_of(difference.parameters, is_statistic);
  return difference;
}

const Trunk* trunk_of_head(const std::vector<Trunk>& trunks, const std::string& head_prefix,
                           const std::function<bool(const Trunk&)>& is_the_jobs) {
  std::size_t most = 0;
  for (const Trunk& trunk : trunks) most = std::max(most, words_in_common(trunk.prefix, head_prefix));
  const Trunk* chosen = nullptr;
  for (const Trunk& trunk : trunks) {
    if (words_in_common(trunk.prefix, head_prefix) < most) continue;
    if (is_the_jobs(trunk)) return &trunk;
    if (chosen == nullptr || trunk.parameters.size() > chosen->parameters.size()) chosen = &trunk;
  }
  return chosen;
}

}  // namespace polyhead::model
