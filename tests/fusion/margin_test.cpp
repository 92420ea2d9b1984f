#include "polyhead/fusion/margin.hpp"

#include <array>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace polyhead::fusion {
namespace {

TEST(Margin, IsTheHighestLessTheSecond) {
  EXPECT_EQ(margin(std::array{0.25F, 4.0F, -3.0F, 1.5F}), 2.5F);
  EXPECT_EQ(margin(std::array{-7.0F, -4.0F}), 3.0F);
}

TEST(Margin, IsZeroAtATie) {
  EXPECT_EQ(margin(std::array{2.0F, 1.0F, 2.0F}), 0.0F);
  EXPECT_EQ(margin(std::array{0.0F, -0.0F}), 0.0F);
}

TEST(Margin, IsRoundedOnce) {
  const float next = std::nextafter(1.0F, 2.0F);
  EXPECT_EQ(margin(std::array{next, 1.0F}), next - 1.0F);
  constexpr float kMax = std::numeric_limits<float>::max();
  EXPECT_EQ(margin(std::array{kMax, -kMax}), std::numeric_limits<float>::infinity());
}

TEST(Margin, OfOneClassIsNotANumber) {
  EXPECT_TRUE(std::isnan(margin(std::array{1.0F})));
}

}  // namespace
}  // namespace polyhead::fusion
