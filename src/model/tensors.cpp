#include "tensors.hpp"

#include <ATen/ops/from_blob.h>

#include "polyhead/base/error.hpp"

namespace polyhead::model {

at::Tensor TensorSource::next() {
  const Parameter& parameter = parameters_.at(next_++);
  return values_.narrow(0, parameter.offset, parameter.elements()).view(parameter.shape);
}

at::Tensor view_of(std::span<float> values, at::IntArrayRef shape) {
  if (static_cast<std::int64_t>(values.size()) != c10::multiply_integers(shape)) {
    throw Error(ExitCode::internal, "a buffer does not have the size that its shape needs");
  }
  return at::from_blob(values.data(), shape, at::TensorOptions().dtype(at::kFloat));
}

at::Tensor view_of(std::span<const float> values, at::IntArrayRef shape) {
  // from_blob has no const form; inputs are only read.
  return view_of(std::span(const_cast<float*>(values.data()), values.size()), shape);
}

}  // namespace polyhead::model
