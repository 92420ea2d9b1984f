#pragma once

#include <ATen/core/Tensor.h>

#include "polyhead/config/config.hpp"

namespace polyhead::model {

/// torchvision's `ToTensor` and `Normalize` on a device. The bits equal those of the host: operations have
/// one order, and each is rounded by itself.
class Normalize {
 public:
  Normalize(const config::Preprocess& preprocess, at::Device device);
  /// uint8 [N, H, W, 3] to fp32 [N, 3, H, W], contiguous.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& bytes) const;

 private:
  at::Tensor scale_;  ///< 255, as a tensor: GPUs divide by a plain number through its reciprocal
  at::Tensor mean_;   ///< [1, 3, 1, 1]
  at::Tensor std_;    ///< [1, 3, 1, 1]
};

}  // namespace polyhead::model
