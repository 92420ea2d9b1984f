#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "polyhead/model/resnet_spec.hpp"
#include "tensors.hpp"

namespace polyhead::model {

/// A ResNet without its classifier, batch norms folded. Weights are views.
class ResNet {
 public:
  /// Takes the weights of `convolutions(spec)` in their order.
  ResNet(const ResNetSpec& spec, TensorSource& source);
  /// [batch, 3, H, W] -> [batch, feature_width]
  [[nodiscard]] at::Tensor features(at::Tensor pixels) const;

 private:
  struct Conv {
    at::Tensor weight;
    at::Tensor bias;
    std::int64_t stride = 1;
    std::int64_t padding = 0;
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  };
  struct Block {
    std::vector<Conv> convs;
    std::vector<Conv> downsample;  ///< one or none
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  };
  static Conv make_conv(const ConvSpec& spec, TensorSource& source);

  Conv stem_;
  std::vector<Block> blocks_;
};

}  // namespace polyhead::model
