#pragma once

#include <optional>
#include <span>
#include <vector>

#include "../kernels/reference.hpp"
#include "polyhead/resnet/network.hpp"

namespace polyhead::testing {

/// A ResNet of any shape with random weights that keep activations near 1.
class Net {
 public:
  Net(const ConvShape& stem, unsigned seed) : random(seed), spec{{"", "", stem}, {}, stem.out} { add(stem); }

  void add_block(const std::vector<ConvShape>& convs, std::optional<ConvShape> downsample = {}) {
    resnet::BlockSpec& block = spec.blocks.emplace_back();
    for (const ConvShape& shape : convs) {
      block.convs.push_back({"", "", shape});
      add(shape);
    }
    if (downsample) {
      block.downsample = resnet::ConvSpec{"", "", *downsample};
      add(*downsample);
    }
    spec.feature_width = convs.back().out;
  }

  void prepare(kernels::Isa isa, std::span<float> to) const {
    std::vector<resnet::FoldedConv> weights;
    for (const Layer& layer : layers) weights.push_back({layer.weight, layer.bias});
    resnet::Network::prepare(isa, spec, weights, to);
  }

  Random random;
  resnet::Spec spec;
  std::vector<Layer> layers;

 private:
  void add(const ConvShape& shape) { layers.emplace_back(shape, random); }
};

}  // namespace polyhead::testing
