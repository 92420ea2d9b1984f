#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "match.hpp"
#include "naming.hpp"

namespace polyhead::model {

/// What stands of a backbone beside a head: all of it or a part.
struct Trunk {
  std::string prefix;
  std::unordered_map<std::string, const checkpoint::CheckpointTensor*>
      parameters;        ///< by torchvision's names
  TakenTensors tensors;  ///< these, and whatever else stands inside the network
};

/// The trunks of a head's file: under every prefix and in every naming that gives at least one convolution of
/// the `backbone` its name and shape. `rename`: the naming that the user gave for the backbone.
std::vector<Trunk> find_trunks(const checkpoint::Checkpoint& file,
                               const std::vector<ExpectedParameter>& backbone, const config::Renames& rename);

/// How a trunk differs from the job's backbone.
struct TrunkDifference {
  std::vector<std::string> parameters;  ///< torchvision's names of those with other values, in their order
  std::size_t compared = 0;
  bool only_statistics = false;  ///< all of them are running means or variances
  [[nodiscard]] bool any() const { return !parameters.empty(); }
};

/// Values must be the same, or the same after one side was rounded to fp16 or bf16: files are saved in those.
TrunkDifference compare_trunk(const Trunk& trunk, const Match& backbone,
                              const std::vector<ExpectedParameter>& expected);

/// The trunk that a head with this prefix belongs to: the one whose prefix has most in common with it. Where
/// several do, one that is the job's backbone. Null without trunks.
const Trunk* trunk_of_head(const std::vector<Trunk>& trunks, const std::string& head_prefix,
                           const std::function<bool(const Trunk&)>& is_the_jobs);

}  // namespace polyhead::model
