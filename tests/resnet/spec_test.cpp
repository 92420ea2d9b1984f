#include "polyhead/resnet/spec.hpp"

#include <gtest/gtest.h>

namespace polyhead::resnet {
namespace {

std::int64_t weights(config::Arch arch) {
  std::int64_t count = 0;
  for (const ConvSpec& conv : convolutions(spec_of(arch))) {
    const kernels::ConvShape& shape = conv.shape;
    count += std::int64_t{shape.out} * shape.in * shape.kernel * shape.kernel + 2 * shape.out;
  }
  return count;
}

// The parameter counts that torchvision documents, without the classifier of 1,000 classes.
TEST(ResNetSpec, HasTorchvisionsParameters) {
  EXPECT_EQ(weights(config::Arch::resnet18), 11'689'512 - 513'000);
  EXPECT_EQ(weights(config::Arch::resnet34), 21'797'672 - 513'000);
  EXPECT_EQ(weights(config::Arch::resnet50), 25'557'032 - 2'049'000);
}

TEST(ResNetSpec, GivesTheFeatureWidth) {
  EXPECT_EQ(spec_of(config::Arch::resnet18).feature_width, 512);
  EXPECT_EQ(spec_of(config::Arch::resnet34).feature_width, 512);
  EXPECT_EQ(spec_of(config::Arch::resnet50).feature_width, 2048);
}

TEST(ResNetSpec, NamesAsTorchvision) {
  const auto convs = convolutions(spec_of(config::Arch::resnet50));
  EXPECT_EQ(convs.front().name, "conv1");
  EXPECT_EQ(convs[4].name, "layer1.0.downsample.0");
  EXPECT_EQ(convs[4].batch_norm, "layer1.0.downsample.1");
  EXPECT_EQ(convs.back().name, "layer4.2.conv3");
  EXPECT_EQ(convs.back().batch_norm, "layer4.2.bn3");
}

}  // namespace
}  // namespace polyhead::resnet
