#pragma once

#include <memory>
#include <vector>

#include "model/torch/tensors.hpp"
#include "polyhead/model/head_spec.hpp"

namespace polyhead::model {

/// All heads of a rank at inference. A head's bits do not depend on the other heads.
class Heads {
 public:
  virtual ~Heads() = default;
  /// [batch, features] -> [heads, batch, classes], both on the device.
  virtual void scores(const at::Tensor& features, const at::Tensor& scores) = 0;
};

/// Heads of LibTorch's operations, one head at a time.
std::unique_ptr<Heads> make_torch_heads(const std::vector<std::vector<HeadStep>>& heads,
                                        TensorSource& source);

/// Heads whose linear layers are one call of the module `kernels` per depth.
std::unique_ptr<Heads> make_batched_heads(const std::vector<std::vector<HeadStep>>& heads,
                                          TensorSource& source, int threads);

}  // namespace polyhead::model
