#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/checkpoint/checkpoint.hpp"
#include "polyhead/graph/graph.hpp"

namespace polyhead::graph {

/// A ResNet of torchvision. https://docs.pytorch.org/vision/stable/models/resnet.html
struct ResNet {
  std::string_view name;
  bool bottleneck = false;      ///< blocks of 1x1, 3x3, 1x1 instead of two 3x3
  std::int64_t blocks[4] = {};  ///< of layer1 to layer4
  std::int64_t groups = 1;      ///< of the 3x3 convolutions
  std::int64_t width = 64;      ///< channels a group of layer1's 3x3 convolutions
};

/// All that are known by name.
const std::vector<ResNet>& resnets();

/// The one of this name. Throws Error(usage) that names the known ones.
const ResNet& resnet(const std::string& name);

/// What a state_dict does not say of a ResNet.
struct ResNetInput {
  std::int64_t height = 224;
  std::int64_t width = 224;
  std::int64_t batch = 1;
  double eps = 1e-5;  ///< of its batch norms
};

/// Graph of a ResNet with these weights, node by node as torch.export writes it. Names may have one prefix
/// ("module."); the number of classes is that of `fc`. Throws Error(bad_data) that names `file` and the
/// tensor that is missing or of another shape.
Graph resnet_graph(const ResNet& spec, const std::filesystem::path& file,
                   const checkpoint::Checkpoint& weights, const ResNetInput& input);

}  // namespace polyhead::graph
