#include "head.hpp"

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

constexpr double kLayerNormEpsilon = 1e-5;  // nn.LayerNorm's default

bool has_weights(LayerKind kind) {
  return kind == LayerKind::linear || kind == LayerKind::batchnorm || kind == LayerKind::layernorm;
}

}  // namespace

Head::Head(const std::vector<HeadStep>& steps, TensorSource& source) {
  for (const HeadStep& step : steps) {
    Operation operation;
    operation.kind = step.kind;
    if (has_weights(step.kind)) {
      operation.weight = source.next();
      operation.bias = source.next();
    }
    operations_.push_back(std::move(operation));
  }
}

at::Tensor Head::apply(const Operation& operation, const at::Tensor& x) {
  switch (operation.kind) {
    case LayerKind::linear:
      return at::linear(x, operation.weight, operation.bias);
    case LayerKind::batchnorm:
      return at::mul(x, operation.weight).add_(operation.bias);
    case LayerKind::layernorm:
      return at::layer_norm(x, operation.weight.sizes(), operation.weight, operation.bias, kLayerNormEpsilon);
    case LayerKind::relu:
      return at::relu(x);
    case LayerKind::gelu:
      return at::gelu(x);
    case LayerKind::tanh:
      return at::tanh(x);
    case LayerKind::dropout:
    case LayerKind::flatten:
      break;  // head_steps left them out
  }
  throw Error(ExitCode::internal, "a head has a layer that cannot be computed");
}

at::Tensor Head::scores(const at::Tensor& features) const {
  at::Tensor x = features;
  for (const Operation& operation : operations_) x = apply(operation, x);
  return x;
}

}  // namespace polyhead::model
