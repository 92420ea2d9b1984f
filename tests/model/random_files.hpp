#pragma once

#include <algorithm>
#include <random>

#include "../checkpoint/support.hpp"
#include "polyhead/checkpoint/checkpoint.hpp"
#include "polyhead/resnet/spec.hpp"

namespace polyhead::testing {

/// Values in (0.5, 1), so that they may be variances as well.
inline checkpoint::CheckpointTensor random_tensor(const std::string& name, std::vector<std::int64_t> shape) {
  static std::mt19937 random(4);  // the same values every time
  std::uniform_real_distribution<float> uniform(0.5F, 1.0F);
  std::size_t count = 1;
  for (const std::int64_t dimension : shape) count *= static_cast<std::size_t>(dimension);
  checkpoint::CheckpointTensor tensor{name, std::move(shape), std::vector<float>(count)};
  std::generate(tensor.values.begin(), tensor.values.end(), [&] { return uniform(random); });
  return tensor;
}

inline void add_batch_norm(checkpoint::Checkpoint& file, const std::string& name, std::int64_t width) {
  for (const char* what : {".weight", ".bias", ".running_mean", ".running_var"}) {
    file.push_back(random_tensor(name + what, {width}));
  }
}

/// A whole ResNet, its classifier left out. Sums of positive weights are about 1, so that nothing overflows.
inline checkpoint::Checkpoint random_resnet(config::Arch arch) {
  checkpoint::Checkpoint file;
  for (const resnet::ConvSpec& conv : convolutions(resnet::spec_of(arch))) {
    file.push_back(random_tensor(conv.name + ".weight", conv.weight_shape()));
    const auto summands = static_cast<float>(conv.shape.in * conv.shape.kernel * conv.shape.kernel);
    for (float& value : file.back().values) value /= summands;
    add_batch_norm(file, conv.batch_norm, conv.shape.out);
  }
  return file;
}

/// The parameters of layer `index`, a linear one.
inline void add_linear(checkpoint::Checkpoint& file, const std::string& index, std::int64_t in,
                       std::int64_t out) {
  file.push_back(random_tensor(index + ".weight", {out, in}));
  file.push_back(random_tensor(index + ".bias", {out}));
}

inline checkpoint::CheckpointTensor& find(checkpoint::Checkpoint& file, const std::string& name) {
  return *std::find_if(file.begin(), file.end(), [&](const auto& tensor) { return tensor.name == name; });
}

}  // namespace polyhead::testing
