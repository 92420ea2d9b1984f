#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "polyhead/model/head_spec.hpp"
#include "tensors.hpp"

namespace polyhead::model {

/// One head at inference. Weights are views.
class Head {
 public:
  /// Takes the weights of `steps` in their order.
  Head(const std::vector<HeadStep>& steps, TensorSource& source);
  /// [batch, features] -> [batch, classes]
  [[nodiscard]] at::Tensor scores(const at::Tensor& features) const;

 private:
  struct Operation {
    config::LayerKind kind = config::LayerKind::relu;
    at::Tensor weight;
    at::Tensor bias;
  };
  static at::Tensor apply(const Operation& operation, const at::Tensor& x);
  std::vector<Operation> operations_;
};

}  // namespace polyhead::model
