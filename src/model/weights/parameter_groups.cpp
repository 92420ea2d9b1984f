#include "parameter_groups.hpp"

#include <unordered_map>
#include <utility>

namespace polyhead::model {

std::pair<std::string, std::string> split_leaf(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return {"", name};
  return {name.substr(0, dot + 1), name.substr(dot + 1)};
}

std::vector<ParameterGroup> groups_of(const checkpoint::Checkpoint& file, const HeadLookup& lookup) {
  std::vector<ParameterGroup> groups;
  std::unordered_map<std::string, std::size_t> places;
  for (const checkpoint::CheckpointTensor& tensor : file) {
    const bool taken = lookup.trunk != nullptr && lookup.trunk->count(&tensor) > 0;
    if (taken || !tensor.problem.empty() || is_counter(tensor.name)) continue;
    if (lookup.prefix && !tensor.name.starts_with(*lookup.prefix)) continue;
    auto [module, leaf] = split_leaf(tensor.name);
    const auto [place, is_new] = places.emplace(module, groups.size());
    if (is_new) groups.push_back({std::move(module), {}});
    groups[place->second].leaves.emplace(std::move(leaf), &tensor);
  }
  return groups;
}

}  // namespace polyhead::model
