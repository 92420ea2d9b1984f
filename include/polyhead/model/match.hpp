#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "polyhead/model/checkpoint.hpp"

namespace polyhead::model {

/// A parameter that a weights file should hold.
struct ExpectedParameter {
  std::string name;  ///< without prefix: "layer1.0.conv1.weight", "0.bias"
  std::vector<std::int64_t> shape;
  std::string hint;  ///< follows the message when the last dimension is wrong
  std::string pair;  ///< may be missing if the parameter of this name is missing as well
};

/// What a weights file holds of what was expected.
struct Match {
  std::string prefix;  ///< "module.backbone.", taken off every name
  std::unordered_map<std::string, const CheckpointTensor*> found;
  std::vector<std::string> problems;  ///< missing, unexpected, mis-shaped: a line each
  std::vector<std::string> unused;    ///< names inside the prefix that were to be left out
  std::vector<std::string> outside;   ///< names that do not start with the prefix
};

/// Finds the `expected` parameters, under a prefix of known words (`module.`, `backbone.`, `head.`, ...) if
/// they all share it. Names in `leave_out` and `num_batches_tracked` are not unexpected. Pointers are into
/// `checkpoint`.
Match match_parameters(const Checkpoint& checkpoint, const std::vector<ExpectedParameter>& expected,
                       const std::vector<std::string_view>& leave_out = {});

}  // namespace polyhead::model
