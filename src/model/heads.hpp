#pragma once

#include <memory>
#include <vector>

#include "model/torch/tensors.hpp"
#include "polyhead/model/head_spec.hpp"

namespace polyhead::model {

/// All heads of a rank at inference. A head's bits do not depend on which others are there.
class Heads {
 public:
  virtual ~Heads() = default;
  /// [batch, features] -> [heads, batch, classes], both on the device.
  virtual void scores(const at::Tensor& features, const at::Tensor& scores) = 0;
};

/// LibTorch's operations, head by head.
std::unique_ptr<Heads> make_torch_heads(const std::vector<std::vector<HeadStep>>& heads,
                                        TensorSource& source);

/// The linear layers of all heads as one call of the module `kernels` for each depth.
std::unique_ptr<Heads> make_batched_heads(const std::vector<std::vector<HeadStep>>& heads,
                                          TensorSource& source, int threads);

}  // namespace polyhead::model
