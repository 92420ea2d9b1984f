#pragma once

#include <memory>

#include <ATen/core/Tensor.h>

#include "model/torch/conv.hpp"
#include "model/torch/tensors.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/model/prepared.hpp"
#include "polyhead/resnet/spec.hpp"

namespace polyhead::model {

/// A ResNet without its classifier, on one engine, for one input shape.
class Backbone {
 public:
  virtual ~Backbone() = default;
  /// [batch, 3, H, W] -> [batch, feature_width]
  [[nodiscard]] virtual at::Tensor features(at::Tensor pixels) = 0;
};

/// Backbone of LibTorch's operations; see resnet.hpp. Takes the weights of `convolutions(spec)` in their
/// order.
std::unique_ptr<Backbone> make_torch_backbone(const resnet::Spec& spec, TensorSource& source,
                                              const ImageBatchShape& input);

/// Backbone of the module `kernels`, with its own threads; see docs/cpu-kernels.md.
std::unique_ptr<Backbone> make_winograd_backbone(const resnet::Spec& spec, Prepared prepared,
                                                 const ImageBatchShape& input, int threads);

}  // namespace polyhead::model
