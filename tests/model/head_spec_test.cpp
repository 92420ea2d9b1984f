#include "polyhead/model/head_spec.hpp"

#include <gtest/gtest.h>

#include "../checkpoint/support.hpp"

namespace polyhead::model {
namespace {

using config::LayerKind;
using testing::layer;
using testing::linear;

config::Head head(std::vector<config::Layer> layers) {
  return testing::head_of("h", std::move(layers));
}

TEST(HeadSteps, ChainWidthsAndKeepNumbers) {
  const auto steps =
      head_steps(head({layer(LayerKind::flatten), linear(256), layer(LayerKind::dropout), linear(10)}), 512);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].index, 1);
  EXPECT_EQ(steps[0].in, 512);
  EXPECT_EQ(steps[0].out, 256);
  EXPECT_EQ(steps[1].index, 3);
  EXPECT_EQ(steps[1].in, 256);
  EXPECT_EQ(steps[1].out, 10);
}

TEST(HeadSteps, FoldABatchNormAfterALinearLayerOnly) {
  const auto folded = head_steps(head({linear(8), layer(LayerKind::batchnorm)}), 4);
  ASSERT_EQ(folded.size(), 1U);
  EXPECT_EQ(folded[0].batch_norm, 1);
  const auto kept = head_steps(
      head({layer(LayerKind::batchnorm), linear(8), layer(LayerKind::relu), layer(LayerKind::batchnorm)}), 4);
  ASSERT_EQ(kept.size(), 4U);
  EXPECT_EQ(kept[0].out, 4);
  EXPECT_EQ(kept[1].batch_norm, std::nullopt);
  EXPECT_EQ(kept[3].kind, LayerKind::batchnorm);
  // A second one in a row is not the linear layer's any more.
  EXPECT_EQ(head_steps(head({linear(8), layer(LayerKind::batchnorm), layer(LayerKind::batchnorm)}), 4).size(),
            2U);
}

TEST(HeadWidth, IsTheLastLinears) {
  EXPECT_EQ(head_width(head({linear(8), linear(10), layer(LayerKind::tanh)}), 4), 10);
  EXPECT_EQ(head_width(head({layer(LayerKind::relu)}), 4), 4);
  EXPECT_EQ(head_width(head({}), 4), 4);
}

}  // namespace
}  // namespace polyhead::model
