#include "polyhead/image/axis_filter.hpp"

#include <numeric>

#include <gmock/gmock.h>

namespace polyhead::image {
namespace {

using config::Interpolation;
using ::testing::ElementsAre;

TEST(AxisFilter, HalvesWithATriangle) {
  // Pillow's triangle at scale 2 over 8 pixels: 1 3 3 1 eighths, cut off and made whole again at the border.
  AxisFilter<float> filter;
  filter.rebuild(8, 4, {0, 2}, Interpolation::bilinear);
  ASSERT_EQ(filter.size(), 2U);
  EXPECT_EQ(filter.first(0), 0);
  EXPECT_THAT(filter.weights(0), ElementsAre(3 / 7.0F, 3 / 7.0F, 1 / 7.0F));
  EXPECT_EQ(filter.first(1), 1);
  EXPECT_THAT(filter.weights(1), ElementsAre(0.125F, 0.375F, 0.375F, 0.125F));
}

TEST(AxisFilter, NeedsOnlyTheSourcesOfItsWindow) {
  AxisFilter<std::int32_t> filter;
  filter.rebuild(100, 50, {20, 3}, Interpolation::bicubic);
  EXPECT_EQ(filter.size(), 3U);
  EXPECT_EQ(filter.sources(), (Range{37, 12}));  // 41, 43 and 45, each with 4 to both sides
  filter.rebuild(100, 50, {0, 50}, Interpolation::bicubic);
  EXPECT_EQ(filter.sources(), (Range{0, 100}));
}

TEST(AxisFilter, FixedPointSumsToOneUpToRounding) {
  for (const auto interpolation : {Interpolation::bilinear, Interpolation::bicubic}) {
    for (const int to : {1, 7, 41, 90}) {
      AxisFilter<std::int32_t> filter;
      filter.rebuild(41, to, {0, to}, interpolation);
      for (std::size_t i = 0; i < filter.size(); ++i) {
        const auto weights = filter.weights(i);
        const int sum = std::accumulate(weights.begin(), weights.end(), 0);
        EXPECT_NEAR(sum, 1 << AxisFilter<std::int32_t>::kFractionBits, static_cast<double>(weights.size()));
      }
    }
  }
}

}  // namespace
}  // namespace polyhead::image
