#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "polyhead/config/config.hpp"

namespace polyhead::model {

/// One operation of a head at inference.
struct HeadStep {
  config::LayerKind kind = config::LayerKind::relu;
  std::int64_t index = 0;  ///< of its layer in the head: nn.Sequential's number
  std::int64_t in = 0;     ///< values a sample
  std::int64_t out = 0;
  /// `linear`: the number of the batch norm right after it, which is folded into its weights.
  std::optional<std::int64_t> batch_norm;
  double epsilon = config::kDefaultEpsilon;  ///< `layernorm`: its eps
};

/// The head without the layers that do nothing at inference (dropout, flatten) and with batch norms folded
/// where they follow a linear layer. `features`: values a sample that the backbone gives.
std::vector<HeadStep> head_steps(const config::Head& head, std::int64_t features);

/// Multiplications for one sample: what heads are shared out among ranks by. At least 1.
std::int64_t head_cost(const config::Head& head, std::int64_t features);

/// Scores a sample that the head gives.
std::int64_t head_width(const config::Head& head, std::int64_t features);

}  // namespace polyhead::model
