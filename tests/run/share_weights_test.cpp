#include "run/setup/share_weights.hpp"

#include <gtest/gtest.h>

#include "head_of.hpp"
#include "polyhead/comm/local.hpp"
#include "polyhead/model/layout.hpp"

namespace polyhead::run {
namespace {

/// With thousands of heads this is what rank 0's memory is made of.
TEST(ShareWeights, LeavesRank0OnlyItsOwn) {
  config::Config config;
  for (const char* name : {"a", "b", "c"}) {
    config.heads.push_back(polyhead::testing::head_of(name, {{config::LayerKind::linear, 10}}));
  }
  const model::Layout layout = model::make_layout(config);
  model::Weights all;
  all.parameters = layout.parameters;
  all.feature_width = layout.feature_width;
  all.classes = layout.classes;
  all.values.assign(static_cast<std::size_t>(layout.values), 0.5F);

  comm::LocalWorld world(1);
  const model::Weights mine = share_weights(*world.collectives(0), config, all, {{0, 2}, {2, 1}}, 0);
  EXPECT_EQ(mine.values.size(), static_cast<std::size_t>(layout.head_begin.at(2)));
  EXPECT_EQ(mine.values.back(), 0.5F);
  EXPECT_EQ(all.values.capacity(), 0U);
}

}  // namespace
}  // namespace polyhead::run
