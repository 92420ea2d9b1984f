#pragma once

#include <map>
#include <string>
#include <vector>

#include "head_match.hpp"

namespace polyhead::model {

/// Parameters of one module in a file: "fc1.weight" and "fc1.bias".
struct ParameterGroup {
  std::string name;  ///< "fc1.", or "" where the file has `weight` and `bias` alone
  std::map<std::string, const checkpoint::CheckpointTensor*>
      leaves;  ///< "weight", "bias", "running_mean", ...
};

/// Groups in the file's order, without the trunk and counters, under the prefix where one is given.
std::vector<ParameterGroup> groups_of(const checkpoint::Checkpoint& file, const HeadLookup& lookup);

/// Parts of a name: "fc1." and "weight" of "fc1.weight".
std::pair<std::string, std::string> split_leaf(const std::string& name);

}  // namespace polyhead::model
