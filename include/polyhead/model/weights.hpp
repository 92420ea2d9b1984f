#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/base/aligned.hpp"
#include "polyhead/base/digest.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/graph/ensemble.hpp"

namespace polyhead::model {

/// One tensor inside `Weights`.
struct Parameter {
  std::string name;                 ///< "backbone.layer1.0.conv1.weight", "heads.3.0.bias"
  std::vector<std::int64_t> shape;  ///< row-major
  std::int64_t offset =
      0;  ///< index of its first value in `Weights::values`; a multiple of 64, so 256-byte aligned
  [[nodiscard]] std::int64_t elements() const;
};

/// All parameters of the model in one buffer: rank 0 reads and broadcasts it. Those of heads and backbone are
/// fp32, with batch norms folded; constants of members lie in it as they are, whatever their type.
struct Weights {
  std::vector<Parameter> parameters;
  AlignedVector<float> values;
  std::shared_ptr<float> on_gpu;  ///< the values in the memory of the rank's GPU; `values` may be empty then
  std::int64_t feature_width =
      0;  ///< values per sample that the backbone gives, or that pass from trunk to branches
  std::int64_t classes = 0;                        ///< scores per sample that every head gives
  std::shared_ptr<const graph::Ensemble> members;  ///< what computes with them; null for heads on a backbone

  /// Digest over names, shapes and values of the parameters whose names begin with `begin`: all, or
  /// "backbone.".
  [[nodiscard]] Digest digest(std::string_view begin = "") const;
};

/// Messages of loading that the user gets once: "resnet18.pth: fc.weight, fc.bias are not used: polyhead
/// takes the features before them".
using Notes = std::vector<std::string>;

/// Reads and checks every weights file of the configuration (globs already expanded), folds the batch norms
/// and packs the result. Throws Error(bad_data) that names the file and lists missing, unexpected and
/// mis-shaped parameters with expected and found shapes, of all files at once. Also throws Error(bad_data)
/// when heads differ in their number of classes.
Weights load_weights(const config::Config& config, Notes& notes);

}  // namespace polyhead::model
