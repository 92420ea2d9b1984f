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
  std::string name;  ///< name without prefix: "layer1.0.conv1.weight", "0.bias"
  std::vector<std::int64_t> shape;
  std::string hint;       ///< text added to the message when the last dimension is wrong
  std::string pair;       ///< parameter without which this one may be missing
  bool optional = false;  ///< whether it may be missing
};

/// Tensors of a checkpoint that are already assigned.
using TakenTensors = std::unordered_set<const checkpoint::CheckpointTensor*>;

/// Options for finding the parameters.
struct Lookup {
  std::optional<std::string> prefix;  ///< start of their names; nothing: any that fits
  /// Names that a parameter may have in the file; empty: its own name.
  std::function<std::vector<std::string>(const std::string&)> in_file;
  /// Whether an unexpected name after the prefix keeps the file from fitting; empty: every one does. Counters
  /// such as `num_batches_tracked` never do.
  std::function<bool(std::string_view)> stranger;
  const TakenTensors* without = nullptr;  ///< tensors to skip
};

/// Expected parameters that a weights file holds, in one reading.
struct Match {
  std::string prefix;  ///< start of every name: "module.backbone."
  std::string naming;  ///< naming in the file, in words; empty: that of PyTorch's modules
  std::unordered_map<std::string, const checkpoint::CheckpointTensor*> found;  ///< tensors by the expected
                                                                               ///< name
  std::vector<std::string> problems;                         ///< missing, unexpected and mis-shaped
                                                             ///< parameters: a few lines
  std::vector<const checkpoint::CheckpointTensor*> beside;   ///< tensors with the prefix that are not
                                                             ///< expected
  std::vector<const checkpoint::CheckpointTensor*> outside;  ///< tensors without the prefix
  std::size_t right = 0;                                     ///< number of parameters found with the right
                                                             ///< shape
  [[nodiscard]] bool fits() const { return problems.empty(); }
};

/// Finds the `expected` parameters under every prefix that has them. Returns all readings that fit and hold
/// as many optional parameters as any other. Where none fits, returns the nearest one with its problems.
/// Pointers are into `checkpoint`.
std::vector<Match> match_parameters(const checkpoint::Checkpoint& checkpoint,
                                    const std::vector<ExpectedParameter>& expected,
                                    const Lookup& lookup = {});

/// Whether two readings hold equal values: then either one may be taken.
bool same_values(const Match& a, const Match& b);

/// Whether a name is that of a counter without use at inference: "bn1.num_batches_tracked", "total_ops".
bool is_counter(std::string_view name);

/// Whether a tensor is left over from training and no part of a network: a counter, "criterion.weight".
bool is_of_training(const checkpoint::CheckpointTensor* tensor);

/// Whether a tensor of this shape can be the parameter. It must have the parameter's shape, or a linear
/// layer's as a 1x1 convolution.
bool fits_shape(const std::vector<std::int64_t>& expected, const std::vector<std::int64_t>& found);

/// Text "0.weight [10, 512], 0.bias [10] and 3 more".
std::string describe_tensors(const std::vector<const checkpoint::CheckpointTensor*>& tensors);

}  // namespace polyhead::model
