#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "match.hpp"
#include "naming.hpp"

namespace polyhead::model {

/// A backbone beside a head, whole or in part.
struct Trunk {
  std::string prefix;
  std::unordered_map<std::string, const checkpoint::CheckpointTensor*>
      parameters;        ///< parameters by torchvision's names
  TakenTensors tensors;  ///< those, and whatever else is inside the network
};

/// Trunks of a head's file: under every prefix and in every naming that gives at least one convolution of the
/// `backbone` its name and shape. `rename`: the user's naming for the backbone.
std::vector<Trunk> find_trunks(const checkpoint::Checkpoint& file,
                               const std::vector<ExpectedParameter>& backbone, const config::Renames& rename);

/// Difference between a trunk and the job's backbone.
struct TrunkDifference {
  std::vector<std::string> parameters;  ///< torchvision's names of parameters with other values, in their
                                        ///< order
  std::size_t compared = 0;
  bool only_statistics = false;  ///< whether all of them are running means or variances
  [[nodiscard]] bool any() const { return !parameters.empty(); }
};

/// Compares values. They must be equal, possibly after one side was rounded to fp16 or bf16, the types in
/// which files are saved.
TrunkDifference compare_trunk(const Trunk& trunk, const Match& backbone,
                              const std::vector<ExpectedParameter>& expected);

/// Trunk of a head with this prefix: the one whose prefix has most in common with it. Of several such trunks,
/// one that is the job's backbone is preferred. Null without trunks.
const Trunk* trunk_of_head(const std::vector<Trunk>& trunks, const std::string& head_prefix,
                           const std::function<bool(const Trunk&)>& is_the_jobs);

}  // namespace polyhead::model
