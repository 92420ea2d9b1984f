#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "polyhead/config/config.hpp"

namespace polyhead::model {

/// One operation of a head at inference.
struct HeadStep {
  config::LayerKind kind = config::LayerKind::relu;
  std::int64_t index = 0;  ///< number of its layer in the head, as in nn.Sequential
  std::int64_t in = 0;     ///< input values per sample
  std::int64_t out = 0;
  /// `linear`: number of the batch norm right after it, which is folded into its weights.
  std::optional<std::int64_t> batch_norm;
  double epsilon = config::kDefaultEpsilon;  ///< `layernorm`: its eps
};

/// Steps of the head, without the layers that do nothing at inference (dropout, flatten). Batch norms after a
/// linear layer are folded into it. `features`: values per sample that the backbone gives.
std::vector<HeadStep> head_steps(const config::Head& head, std::int64_t features);

/// Number of multiplications per sample, by which heads are shared out among ranks. At least 1.
std::int64_t head_cost(const config::Head& head, std::int64_t features);

/// Number of scores per sample that the head gives.
std::int64_t head_width(const config::Head& head, std::int64_t features);

}  // namespace polyhead::model
