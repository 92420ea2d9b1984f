#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "polyhead/model/weights.hpp"

namespace polyhead::model {

/// Gives views of the weights on a device, in the order in which they were packed.
class TensorSource {
 public:
  /// `values`: the whole buffer on the device.
  TensorSource(const std::vector<Parameter>& parameters, at::Tensor values)
      : parameters_(parameters), values_(std::move(values)) {}
  /// Next view. Throws Error(internal) for one that does not start at a multiple of `kAlignment`.
  at::Tensor next();
  void skip(std::size_t count) { next_ += count; }

 private:
  const std::vector<Parameter>& parameters_;
  at::Tensor values_;
  std::size_t next_ = 0;
};

/// A tensor over memory with another owner, which must outlive the tensor.
at::Tensor view_of(std::span<float> values, at::IntArrayRef shape);
at::Tensor view_of(std::span<const float> values, at::IntArrayRef shape);

at::Tensor view_of(std::span<const std::uint8_t> values, at::IntArrayRef shape);

}  // namespace polyhead::model
