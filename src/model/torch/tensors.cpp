#include "tensors.hpp"

#include <ATen/ops/from_blob.h>

#include "polyhead/base/aligned.hpp"
#include "polyhead/base/error.hpp"

namespace polyhead::model {

at::Tensor TensorSource::next() {
  const Parameter& parameter = parameters_.at(next_++);
  at::Tensor tensor = values_.narrow(0, parameter.offset, parameter.elements()).view(parameter.shape);
  if (reinterpret_cast<std::uintptr_t>(tensor.const_data_ptr()) % kAlignment != 0) {
    throw Error(ExitCode::internal, parameter.name + " does not start at a multiple of 256 bytes");
  }
  return tensor;
}

namespace {

void check_size(std::size_t size, at::IntArrayRef shape) {
  if (static_cast<std::int64_t>(size) == c10::multiply_integers(shape)) return;
  throw Error(ExitCode::internal, "a buffer does not have the size that its shape needs");
}

}  // namespace

at::Tensor view_of(std::span<float> values, at::IntArrayRef shape) {
  check_size(values.size(), shape);
  return at::from_blob(values.data(), shape, at::TensorOptions().dtype(at::kFloat));
}

at::Tensor view_of(std::span<const float> values, at::IntArrayRef shape) {
  // from_blob has no const form; inputs are only read.
  return view_of(std::span(const_cast<float*>(values.data()), values.size()), shape);
}

at::Tensor view_of(std::span<const std::uint8_t> values, at::IntArrayRef shape) {
  check_size(values.size(), shape);
  return at::from_blob(const_cast<std::uint8_t*>(values.data()), shape, at::TensorOptions().dtype(at::kByte));
}

}  // namespace polyhead::model
