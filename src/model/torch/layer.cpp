#include "layer.hpp"

#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tanh.h>

#include "polyhead/base/error.hpp"

namespace polyhead::model {
namespace {

using config::LayerKind;

bool has_weights(LayerKind kind) {
  return kind == LayerKind::linear || kind == LayerKind::batchnorm || kind == LayerKind::layernorm;
}

}  // namespace

std::vector<Layer> take_layers(const std::vector<HeadStep>& steps, TensorSource& source) {
  std::vector<Layer> layers;
  for (const HeadStep& step : steps) {
    Layer& layer = layers.emplace_back();
    layer.kind = step.kind;
    layer.epsilon = step.epsilon;
    if (has_weights(step.kind)) {
      layer.weight = source.next();
      layer.bias = source.next();
    }
  }
  return layers;
}

at::Tensor apply(const Layer& layer, const at::Tensor& x) {
  switch (layer.kind) {
    case LayerKind::linear:
      return at::linear(x, layer.weight, layer.bias);
    case LayerKind::batchnorm:
      return at::mul(x, layer.weight).add_(layer.bias);
    case LayerKind::layernorm:
      return at::layer_norm(x, layer.weight.sizes(), layer.weight, layer.bias, layer.epsilon);
    case LayerKind::relu:
      return at::relu(x);
    case LayerKind::gelu:
      return at::gelu(x);
    case LayerKind::tanh:
      return at::tanh(x);
    case LayerKind::dropout:
    case LayerKind::flatten:
      break;  // omitted by head_steps
  }
  throw Error(ExitCode::internal, "a head has a layer that cannot be computed");
}

}  // namespace polyhead::model
