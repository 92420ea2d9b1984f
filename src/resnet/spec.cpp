#include "polyhead/resnet/spec.hpp"

#include <array>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"

namespace polyhead::resnet {
namespace {

struct Family {
  bool bottleneck;
  std::array<int, 4> blocks;  ///< blocks per stage
};

Family family_of(config::Arch arch) {
  switch (arch) {
    case config::Arch::resnet18:
      return {false, {2, 2, 2, 2}};
    case config::Arch::resnet34:
      return {false, {3, 4, 6, 3}};
    case config::Arch::resnet50:
      return {true, {3, 4, 6, 3}};
  }
  throw Error(ExitCode::internal, "resnet: unknown architecture");
}

constexpr int kStemWidth = 64;
constexpr int kBottleneckExpansion = 4;

ConvSpec conv(const std::string& block, int number, const kernels::ConvShape& shape) {
  return {fmt::format("{}.conv{}", block, number), fmt::format("{}.bn{}", block, number), shape};
}

/// `width`: channels of the 3x3 convolutions.
BlockSpec make_block(const std::string& name, bool bottleneck, int in, int width, int stride) {
  const int out = bottleneck ? width * kBottleneckExpansion : width;
  BlockSpec block;
  if (bottleneck) {  // the stride sits on the 3x3 convolution ("v1.5")
    block.convs = {conv(name, 1, {in, width, 1, 1}), conv(name, 2, {width, width, 3, stride}),
                   conv(name, 3, {width, out, 1, 1})};
  } else {
    block.convs = {conv(name, 1, {in, width, 3, stride}), conv(name, 2, {width, width, 3, 1})};
  }
  if (stride != 1 || in != out) {
    block.downsample = ConvSpec{name + ".downsample.0", name + ".downsample.1", {in, out, 1, stride}};
  }
  return block;
}

}  // namespace

Spec spec_of(config::Arch arch) {
  const Family family = family_of(arch);
  Spec spec{{"conv1", "bn1", {3, kStemWidth, 7, 2}}, {}, 0};
  int in = kStemWidth;
  int width = kStemWidth;
  for (std::size_t stage = 0; stage < family.blocks.size(); ++stage, width *= 2) {
    for (int i = 0; i < family.blocks.at(stage); ++i) {
      const int stride = stage > 0 && i == 0 ? 2 : 1;
      const std::string name = fmt::format("layer{}.{}", stage + 1, i);
      spec.blocks.push_back(make_block(name, family.bottleneck, in, width, stride));
      in = spec.blocks.back().convs.back().shape.out;
    }
  }
  spec.feature_width = in;
  return spec;
}

std::vector<ConvSpec> convolutions(const Spec& spec) {
  std::vector<ConvSpec> all{spec.stem};
  for (const BlockSpec& block : spec.blocks) {
    all.insert(all.end(), block.convs.begin(), block.convs.end());
    if (block.downsample) all.push_back(*block.downsample);
  }
  return all;
}

}  // namespace polyhead::resnet
