#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "polyhead/model/head_spec.hpp"
#include "tensors.hpp"

namespace polyhead::model {

/// A layer of a head at inference. Weights are views.
struct Layer {
  config::LayerKind kind = config::LayerKind::relu;
  at::Tensor weight;
  at::Tensor bias;
  double epsilon = 0;  ///< epsilon of a layer norm
};

/// Layers of a head; takes the weights of `steps` in their order.
std::vector<Layer> take_layers(const std::vector<HeadStep>& steps, TensorSource& source);

/// LibTorch's operation for the layer, on the last dimension of `x`.
at::Tensor apply(const Layer& layer, const at::Tensor& x);

}  // namespace polyhead::model
