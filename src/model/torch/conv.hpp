#pragma once

#include <array>
#include <cstdint>

#include <ATen/core/Tensor.h>

#include "polyhead/resnet/spec.hpp"

namespace polyhead::model {

/// Shape [batch, channels, height, width].
using ImageBatchShape = std::array<std::int64_t, 4>;

/// A convolution with bias and the operations after it in a ResNet: a ReLU, or a sum and a ReLU. On CPUs
/// oneDNN computes convolution and sum in one go, with weights already laid out for its kernels. Elsewhere
/// both are LibTorch's plain operations. The ReLU is LibTorch's everywhere: oneDNN's own, fused into the
/// convolution, turns NaN into 0, and a sample with an overflow would get an answer. This costs 0.5% of the
/// speed.
class Conv {
 public:
  /// `input`: shape of every input.
  Conv(const resnet::ConvSpec& spec, at::Tensor weight, at::Tensor bias, const ImageBatchShape& input);

  [[nodiscard]] ImageBatchShape output() const { return output_; }
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  [[nodiscard]] at::Tensor relu(const at::Tensor& x) const;
  /// relu(conv(x) + residual); `residual` may be overwritten.
  [[nodiscard]] at::Tensor add_relu(const at::Tensor& x, at::Tensor residual) const;

 private:
  [[nodiscard]] at::Tensor plain(const at::Tensor& x) const;

  at::Tensor weight_;
  at::Tensor bias_;
  std::int64_t stride_;
  std::int64_t padding_;
  ImageBatchShape output_;
  bool fused_;
};

}  // namespace polyhead::model
