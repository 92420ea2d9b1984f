#include "normalize.hpp"

#include <array>

#include <ATen/ops/empty.h>

namespace polyhead::model {
namespace {

at::Tensor to_tensor(const std::array<double, 3>& values, at::Device device) {
  const at::Tensor tensor = at::empty({1, 3, 1, 1}, at::kFloat);
  for (std::size_t c = 0; c < values.size(); ++c) tensor.data_ptr<float>()[c] = static_cast<float>(values[c]);
  return tensor.to(device);
}

}  // namespace

Normalize::Normalize(const config::Preprocess& preprocess, at::Device device)
    : scale_(to_tensor({255, 255, 255}, device)),
      mean_(to_tensor(preprocess.mean, device)),
      std_(to_tensor(preprocess.std, device)) {}

at::Tensor Normalize::operator()(const at::Tensor& bytes) const {
  at::Tensor pixels = bytes.permute({0, 3, 1, 2}).to(at::kFloat).contiguous();
  pixels.div_(scale_).sub_(mean_).div_(std_);
  return pixels;
}

}  // namespace polyhead::model
