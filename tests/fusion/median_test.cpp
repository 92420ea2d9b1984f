#include "fusion/median.hpp"

#include <array>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support.hpp"
#include "polyhead/config/load.hpp"
#include "polyhead/fusion/fuser.hpp"

namespace polyhead::fusion {
namespace {

using ::testing::ElementsAre;
constexpr float kNoNumber = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinite = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();

/// One sample; `members` [K, classes].
Fused fuse(const std::vector<float>& members, std::int64_t classes) {
  const std::vector<double> weights(members.size() / static_cast<std::size_t>(classes), 1.0);
  return Fuser(config::FusionRule::median, weights, classes).finish({}, 1, members);
}

TEST(Median, OfAnOddNumberIsTheMiddleOne) {
  const Fused fused = fuse({5, 0, /**/ 1, 9, /**/ 3, -2}, 2);
  EXPECT_THAT(fused.scores, ElementsAre(3, 0));
  EXPECT_THAT(fused.prediction, ElementsAre(0));
  EXPECT_THAT(fuse({7, -7}, 2).scores, ElementsAre(7, -7));
}

TEST(Median, OfAnEvenNumberIsRoundedOnce) {
  EXPECT_THAT(fuse({1, /**/ 8, /**/ 3, /**/ -4}, 1).scores, ElementsAre(2));
  // Neighbours in fp32: half of their sum lies between them and rounds to the even one.
  const float next = std::nextafter(1.0F, 2.0F);
  EXPECT_THAT(fuse({1, /**/ next}, 1).scores, ElementsAre(1.0F));
  EXPECT_THAT(fuse({kLargest, /**/ kLargest}, 1).scores, ElementsAre(kLargest));  // their sum is beyond fp32
}

TEST(Median, TiesGoToTheLowestClass) {
  EXPECT_THAT(fuse({1, 4, 4, /**/ 0, 4, 4}, 3).prediction, ElementsAre(1));
}

TEST(Median, ScoresThatAreNotFiniteQuarantineTheirSampleOnly) {
  for (const float bad : {kNoNumber, kInfinite, -kInfinite}) {
    const Fuser fuser(config::FusionRule::median, {1, 1, 1}, 1);
    const Fused fused = fuser.finish({}, 2, std::array{1.0F, bad, 2.0F, /**/ 1.0F, 3.0F, 2.0F});
    EXPECT_THAT(fused.reasons, ElementsAre(Reason::score_not_finite, Reason::none));
    EXPECT_THAT(fused.prediction, ElementsAre(-1, 0));
    EXPECT_TRUE(std::isnan(fused.scores[0]));
    EXPECT_EQ(fused.scores[1], 2);
  }
}

TEST(Median, NeedsTheHeads) {
  const Fuser fuser(config::FusionRule::median, {1, 1}, 3);
  EXPECT_THAT(polyhead::testing::error_of([&] { static_cast<void>(fuser.finish({}, 1, {})); }).second,
              ::testing::HasSubstr("needs the scores of all heads"));
}

TEST(Median, HasOneZero) {
  EXPECT_FALSE(std::signbit(fuse({-0.0F, /**/ 0.0F, /**/ -0.0F}, 1).scores[0]));
  EXPECT_FALSE(std::signbit(fuse({-0.0F, /**/ -0.0F}, 1).scores[0]));
}

TEST(Median, AddsUpNothing) {
  const Fuser fuser(config::FusionRule::median, {1, 1}, 10);
  EXPECT_EQ(fuser.columns(), 0);
  EXPECT_TRUE(fuser.needs_members());
}

/// The scores travel, but rows do not keep them.
TEST(Median, HasTheScoresOfAllHeadsSent) {
  config::Config config;
  config.heads.resize(2);
  config.fusion.rule = config::FusionRule::median;
  const ExchangeWidth width = exchange_width(config, 10);
  EXPECT_EQ(width.sums, 0);
  EXPECT_EQ(width.values, 11);
}

TEST(Median, RefusesWeights) {
  const std::string text =
      "data: {path: d.h5}\n"
      "backbone: {weights: b.pth}\n"
      "heads: [{weights: a.pth}, {weights: b.pth, weight: 2}]\n"
      "fusion: {rule: median}\n"
      "output: {path: o.h5}\n";
  const auto [code, message] =
      polyhead::testing::error_of([&] { return config::parse(text, "e.yaml", "/"); });
  EXPECT_EQ(code, ExitCode::config);
  EXPECT_EQ(
      message,
      "e.yaml:3:52: heads[1].weight: the rule median counts all heads the same; leave the weight out, or "
      "choose another fusion.rule");
}

}  // namespace
}  // namespace polyhead::fusion
