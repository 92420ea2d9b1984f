#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "polyhead/checkpoint/checkpoint.hpp"

namespace polyhead::model {

/// A parameter that a weights file should hold.
struct ExpectedParameter {
  std::string name;  ///< without prefix: "layer1.0.conv1.weight", "0.bias"
  std::vector<std::int64_t> shape;
  std::string hint;       ///< follows the message when the last dimension is wrong
  std::string pair;       ///< may be missing if the parameter of this name is missing as well
  bool optional = false;  ///< may be missing
};

/// Tensors of a checkpoint that somebody has taken already.
using TakenTensors = std::unordered_set<const checkpoint::CheckpointTensor*>;

/// How the parameters are looked for.
struct Lookup {
  std::optional<std::string> prefix;  ///< what their names start with; nothing: any that fits
  /// From a parameter's name to the names that it may have in the file; empty: its own.
  std::function<std::vector<std::string>(const std::string&)> in_file;
  /// Whether a name that follows the prefix, and is none of the expected, keeps the file from fitting; empty:
  /// every one does. Counters as `num_batches_tracked` never do.
  std::function<bool(std::string_view)> stranger;
  const TakenTensors* without = nullptr;  ///< tensors that are passed over
};

/// What a weights file holds of what was expected, read in one way.
struct Match {
  std::string prefix;  ///< "module.backbone.", taken off every name
  std::string naming;  ///< whose names the file has, in words; empty: those of PyTorch's modules
  std::unordered_map<std::string, const checkpoint::CheckpointTensor*> found;  ///< by the expected name
  std::vector<std::string> problems;                         ///< missing, unexpected, mis-shaped: a few lines
  std::vector<const checkpoint::CheckpointTensor*> beside;   ///< inside the prefix, but not expected
  std::vector<const checkpoint::CheckpointTensor*> outside;  ///< whose names do not start with the prefix
  std::size_t right = 0;                                     ///< parameters found with the right shape
  [[nodiscard]] bool fits() const { return problems.empty(); }
};

/// Finds the `expected` parameters under every prefix where they are. Gives all readings that fit and hold
/// as many of the optional parameters as any; where none fits, the nearest one with its problems. Pointers
/// are into `checkpoint`.
std::vector<Match> match_parameters(const checkpoint::Checkpoint& checkpoint,
                                    const std::vector<ExpectedParameter>& expected,
                                    const Lookup& lookup = {});

/// Whether two readings hold the same values: then it does not matter which one is taken.
bool same_values(const Match& a, const Match& b);

/// Whether a name is that of a counter which inference has no use for: "bn1.num_batches_tracked",
/// "total_ops".
bool is_counter(std::string_view name);

/// Whether a tensor is left behind of training and no part of a network: a counter, "criterion.weight".
bool is_of_training(const checkpoint::CheckpointTensor* tensor);

/// Whether a tensor of this shape can be the parameter: the same, or a linear layer's as a 1x1 convolution
/// has it.
bool fits_shape(const std::vector<std::int64_t>& expected, const std::vector<std::int64_t>& found);

/// "0.weight [10, 512], 0.bias [10] and 3 more"
std::string describe_tensors(const std::vector<const checkpoint::CheckpointTensor*>& tensors);

}  // namespace polyhead::model
