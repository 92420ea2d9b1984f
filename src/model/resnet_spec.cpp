#include "polyhead/model/resnet_spec.hpp"

#include <array>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"

namespace polyhead::model {
namespace {

struct Family {
  bool bottleneck;
  std::array<int, 4> blocks;  ///< a stage
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
  throw Error(ExitCode::internal, "resnet_spec: unknown architecture");
}

constexpr std::int64_t kStemWidth = 64;
constexpr std::int64_t kBottleneckExpansion = 4;

ConvSpec conv(const std::string& block, int number, std::int64_t in, std::int64_t out, std::int64_t kernel,
              std::int64_t stride) {
  return {fmt::format("{}.conv{}", block, number),
          fmt::format("{}.bn{}", block, number),
          in,
          out,
          kernel,
          stride};
}

/// `width` is that of the 3x3 convolutions.
BlockSpec make_block(const std::string& name, bool bottleneck, std::int64_t in, std::int64_t width,
                     std::int64_t stride) {
  const std::int64_t out = bottleneck ? width * kBottleneckExpansion : width;
  BlockSpec block;
  if (bottleneck) {  // the stride sits on the 3x3 convolution ("v1.5")
    block.convs = {conv(name, 1, in, width, 1, 1), conv(name, 2, width, width, 3, stride),
                   conv(name, 3, width, out, 1, 1)};
  } else {
    block.convs = {conv(name, 1, in, width, 3, stride), conv(name, 2, width, width, 3, 1)};
  }
  if (stride != 1 || in != out) {
    block.downsample = ConvSpec{name + ".downsample.0", name + ".downsample.1", in, out, 1, stride};
  }
  return block;
}

}  // namespace

ResNetSpec resnet_spec(config::Arch arch) {
  const Family family = family_of(arch);
  ResNetSpec spec{{"conv1", "bn1", 3, kStemWidth, 7, 2}, {}, kStemWidth};
  std::int64_t width = kStemWidth;
  for (std::size_t stage = 0; stage < family.blocks.size(); ++stage, width *= 2) {
    for (int i = 0; i < family.blocks.at(stage); ++i) {
      const std::int64_t stride = stage > 0 && i == 0 ? 2 : 1;
      spec.blocks.push_back(make_block(fmt::format("layer{}.{}", stage + 1, i), family.bottleneck,
                                       spec.feature_width, width, stride));
      spec.feature_width = spec.blocks.back().convs.back().out;
    }
  }
  return spec;
}

std::vector<ConvSpec> convolutions(const ResNetSpec& spec) {
  std::vector<ConvSpec> all{spec.stem};
  for (const BlockSpec& block : spec.blocks) {
    all.insert(all.end(), block.convs.begin(), block.convs.end());
    if (block.downsample) all.push_back(*block.downsample);
  }
  return all;
}

}  // namespace polyhead::model
