#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "polyhead/config/config.hpp"
#include "polyhead/kernels/convolution.hpp"

/// ResNets as torchvision builds them, as data.
/// https://github.com/pytorch/vision/blob/main/torchvision/models/resnet.py
namespace polyhead::resnet {

/// A convolution without bias and the batch norm after it.
struct ConvSpec {
  std::string name;        ///< "layer1.0.conv1"
  std::string batch_norm;  ///< "layer1.0.bn1"
  kernels::ConvShape shape;
  [[nodiscard]] std::vector<std::int64_t> weight_shape() const {
    return {shape.out, shape.in, shape.kernel, shape.kernel};
  }
};

/// Convolutions, each but the last with a ReLU; then the block's input is added, then a ReLU.
struct BlockSpec {
  std::vector<ConvSpec> convs;
  std::optional<ConvSpec> downsample;  ///< fits the input to the sum where the shapes differ
};

/// Stem, 3x3 max-pool of stride 2, blocks, global average.
struct Spec {
  ConvSpec stem;
  std::vector<BlockSpec> blocks;
  std::int64_t feature_width = 0;  ///< channels of the last block
};

Spec spec_of(config::Arch arch);

/// All convolutions, in the order in which their weights are packed.
std::vector<ConvSpec> convolutions(const Spec& spec);

}  // namespace polyhead::resnet
