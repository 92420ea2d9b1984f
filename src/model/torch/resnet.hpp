#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "conv.hpp"
#include "model/backbone.hpp"
#include "polyhead/resnet/spec.hpp"
#include "tensors.hpp"

namespace polyhead::model {

/// A ResNet of LibTorch's operations, batch norms folded.
class ResNet : public Backbone {
 public:
  /// Takes the weights of `convolutions(spec)` in their order. `input`: [batch, 3, H, W].
  ResNet(const resnet::Spec& spec, TensorSource& source, const ImageBatchShape& input);
  /// [batch, 3, H, W] -> [batch, feature_width]
  [[nodiscard]] at::Tensor features(at::Tensor pixels) override;

 private:
  struct Block {
    std::vector<Conv> convs;
    std::vector<Conv> downsample;  ///< one or none
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  };

  Conv stem_;
  std::vector<Block> blocks_;
};

}  // namespace polyhead::model
