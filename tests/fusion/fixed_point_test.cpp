#include "polyhead/fusion/fixed_point.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "polyhead/base/error.hpp"

namespace polyhead::fusion {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(FixedPoint, ExponentFollowsTheNumberOfHeads) {
  EXPECT_EQ(FixedPoint(1).exponent(), 42);
  EXPECT_EQ(FixedPoint(2).exponent(), 41);
  EXPECT_EQ(FixedPoint(4).exponent(), 40);
  EXPECT_EQ(FixedPoint(5).exponent(), 39);
  EXPECT_EQ(FixedPoint(8).exponent(), 39);
  EXPECT_EQ(FixedPoint(10'000).exponent(), 28);
  EXPECT_THROW(FixedPoint(0), Error);
}

class LargestScores : public ::testing::TestWithParam<std::int64_t> {};

TEST_P(LargestScores, NeverOverflowTheSum) {
  const std::int64_t heads = GetParam();
  const FixedPoint fixed(heads);
  const auto largest = fixed.quantise(1.0, FixedPoint::kMax);
  ASSERT_TRUE(largest);
  __extension__ using Wide = __int128;
  EXPECT_LE(Wide{*largest} * heads, Wide{1} << 62);
  EXPECT_GT(Wide{*largest} * heads, Wide{1} << 60);  // nor is a bit of precision given away
  EXPECT_EQ(fixed.value(*largest * heads), FixedPoint::kMax * static_cast<double>(heads));
  EXPECT_EQ(fixed.quantise(1.0, -FixedPoint::kMax), -*largest);
}
INSTANTIATE_TEST_SUITE_P(Heads, LargestScores, ::testing::Values(1, 2, 5, 64, 10'000, 1 << 20));

TEST(FixedPoint, BeyondTheLargestIsRefused) {
  const FixedPoint fixed(5);
  const double above = std::nextafter(FixedPoint::kMax, kInf);
  EXPECT_EQ(fixed.quantise(1.0, above), std::nullopt);
  EXPECT_EQ(fixed.quantise(-1.0, above), std::nullopt);
  EXPECT_EQ(fixed.quantise(2.0, FixedPoint::kMax / 2 * 1.0001), std::nullopt);
  EXPECT_EQ(FixedPoint::why_not(1.0, above), Reason::score_out_of_range);
}

TEST(FixedPoint, NotFiniteIsRefused) {
  const FixedPoint fixed(5);
  for (const double score : {kNaN, kInf, -kInf}) {
    EXPECT_EQ(fixed.quantise(1.0, score), std::nullopt);
    EXPECT_EQ(FixedPoint::why_not(1.0, score), Reason::score_not_finite);
  }
  EXPECT_EQ(FixedPoint::why_not(1.0, 3.0), Reason::none);
}

TEST(FixedPoint, RoundsToNearestEven) {
  const FixedPoint fixed(1);
  const double ulp = std::ldexp(1.0, -42);
  EXPECT_EQ(fixed.quantise(1.0, 0.5 * ulp), 0);
  EXPECT_EQ(fixed.quantise(1.0, 1.5 * ulp), 2);
  EXPECT_EQ(fixed.quantise(1.0, -1.5 * ulp), -2);
}

}  // namespace
}  // namespace polyhead::fusion
