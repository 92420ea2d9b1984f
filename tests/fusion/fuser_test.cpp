#include "polyhead/fusion/fuser.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "polyhead/base/error.hpp"

namespace polyhead::fusion {
namespace {

using config::FusionRule;
using ::testing::ElementsAre;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

/// All heads at once. `logits` [heads, rows, classes].
Fused fuse(const Fuser& fuser, const std::vector<float>& logits, std::int64_t rows, std::int64_t samples) {
  std::vector<std::int64_t> sums(static_cast<std::size_t>(samples * fuser.columns()));
  fuser.accumulate(logits, 0, rows, sums);
  return fuser.finish(sums, samples, {});
}

/// Equal bits, NaN included.
std::vector<std::uint32_t> bits(const std::vector<float>& values) {
  std::vector<std::uint32_t> result;
  for (const float value : values) result.push_back(std::bit_cast<std::uint32_t>(value));
  return result;
}

TEST(Fuser, AveragesLogits) {
  const Fuser fuser(FusionRule::mean_logits, {1, 1}, 2);
  const Fused fused = fuse(fuser, {1, 2, /**/ 3, 8}, 1, 1);
  EXPECT_THAT(fused.scores, ElementsAre(2, 5));
  EXPECT_THAT(fused.prediction, ElementsAre(1));
  EXPECT_THAT(fused.reasons, ElementsAre(Reason::none));
}

TEST(Fuser, WeighsHeads) {
  const Fuser fuser(FusionRule::mean_logits, {1, 3}, 2);
  EXPECT_THAT(fuse(fuser, {4, 0, /**/ 0, 4}, 1, 1).scores, ElementsAre(1, 3));
}

TEST(Fuser, AveragesProbabilities) {
  const Fuser fuser(FusionRule::mean_probabilities, {1, 1}, 2);
  const Fused fused = fuse(fuser, {1000, 0, /**/ 0, 0}, 1, 1);
  EXPECT_THAT(fused.scores, ElementsAre(0.75F, 0.25F));
}

TEST(Fuser, TiesGoToTheLowestClass) {
  const Fuser fuser(FusionRule::mean_logits, {1, 1}, 3);
  EXPECT_THAT(fuse(fuser, {1, 5, 0, /**/ 5, 1, 6}, 1, 1).prediction, ElementsAre(0));
}

TEST(Fuser, TiesAreDecidedOnTheIntegers) {
  // Class 1 leads by one unit of the sum, 2^-41: more than nothing, but lost in the fp32 mean.
  const Fuser fuser(FusionRule::mean_logits, {1, 1}, 2);
  const Fused fused = fuse(fuser, {1, 1, /**/ 0, std::ldexp(1.0F, -41)}, 1, 1);
  EXPECT_EQ(fused.scores[0], fused.scores[1]);
  EXPECT_THAT(fused.prediction, ElementsAre(1));
}

TEST(Fuser, PaddingIsLeftOut) {
  const Fuser fuser(FusionRule::mean_logits, {1}, 2);
  const Fused fused = fuse(fuser, {1, 2, kNaN, kNaN, 7, 7}, 3, 1);
  EXPECT_THAT(fused.scores, ElementsAre(1, 2));
}

class BadScore : public ::testing::TestWithParam<std::tuple<FusionRule, float>> {};

TEST_P(BadScore, QuarantinesItsSampleOnly) {
  const auto [rule, bad] = GetParam();
  const Fuser fuser(rule, {1, 1}, 2);
  const Fused fused = fuse(fuser, {1, 2, 1, 2, /**/ bad, 2, 3, 4}, 2, 2);
  EXPECT_THAT(fused.reasons, ElementsAre(Reason::score_not_finite, Reason::none));
  EXPECT_THAT(fused.prediction, ElementsAre(-1, 1));
  EXPECT_TRUE(std::isnan(fused.scores[0]));
  EXPECT_TRUE(std::isnan(fused.scores[1]));
  EXPECT_TRUE(std::isfinite(fused.scores[2]));
}
INSTANTIATE_TEST_SUITE_P(NotFinite, BadScore,
                         ::testing::Combine(::testing::Values(FusionRule::mean_logits,
                                                              FusionRule::mean_probabilities),
                                            ::testing::Values(kNaN, kInf, -kInf)));

TEST(Fuser, ScoresBeyondTheRangeAreQuarantined) {
  const Fuser fuser(FusionRule::mean_logits, {2}, 2);
  const Fused fused = fuse(fuser, {524'288.0F, 0, 524'289.0F, 0}, 2, 2);
  EXPECT_THAT(fused.reasons, ElementsAre(Reason::none, Reason::score_out_of_range));
  EXPECT_EQ(fused.scores[0], 524'288.0F);
}

class ManyHeads : public ::testing::TestWithParam<std::int64_t> {};

TEST_P(ManyHeads, AtTheEdgeOfTheRangeStayExact) {
  const std::int64_t heads = GetParam();
  const Fuser fuser(FusionRule::mean_logits, std::vector<double>(static_cast<std::size_t>(heads), 1.0), 2);
  std::vector<float> logits;
  for (std::int64_t k = 0; k < heads; ++k) logits.insert(logits.end(), {1'048'576.0F, -1'048'576.0F});
  const Fused fused = fuse(fuser, logits, 1, 1);
  EXPECT_THAT(fused.scores, ElementsAre(1'048'576.0F, -1'048'576.0F));
  EXPECT_THAT(fused.prediction, ElementsAre(0));
}
INSTANTIATE_TEST_SUITE_P(Heads, ManyHeads, ::testing::Values(5, 10'000));

/// The point of it all: any split of the heads into groups, added in any order, gives the same bits.
TEST(Fuser, BitsDoNotDependOnOrderOrSplit) {
  constexpr std::int64_t kHeads = 13;
  constexpr std::int64_t kRows = 4;
  constexpr std::int64_t kClasses = 7;
  std::mt19937 random(1);
  std::normal_distribution<float> scores(0, 30);
  std::vector<double> weights;
  for (int k = 0; k < kHeads; ++k) weights.push_back(std::abs(scores(random)) + 0.1);
  std::vector<float> logits(kHeads * kRows * kClasses);
  std::ranges::generate(logits, [&] { return scores(random); });
  const Fuser fuser(FusionRule::mean_probabilities, weights, kClasses);
  const Fused expected = fuse(fuser, logits, kRows, kRows);

  for (int round = 0; round < 50; ++round) {
    std::vector<std::int64_t> order(kHeads);
    std::iota(order.begin(), order.end(), 0);
    std::ranges::shuffle(order, random);
    std::vector<std::int64_t> total(static_cast<std::size_t>(kRows * fuser.columns()));
    for (const std::int64_t head : order) {
      std::vector<std::int64_t> part(total.size());
      fuser.accumulate(
          std::span(logits).subspan(static_cast<std::size_t>(head * kRows * kClasses), kRows * kClasses),
          head, kRows, part);
      std::ranges::transform(total, part, total.begin(), std::plus{});
    }
    const Fused fused = fuser.finish(total, kRows, {});
    EXPECT_EQ(bits(fused.scores), bits(expected.scores));
    EXPECT_EQ(fused.prediction, expected.prediction);
  }
}

TEST(Fuser, ErrorIsAtMostTheStatedOne) {
  const Fuser fuser(FusionRule::mean_logits, {1, 1, 1, 1, 1}, 1);
  std::mt19937 random(2);
  std::uniform_real_distribution<float> scores(-20, 20);
  for (int round = 0; round < 1000; ++round) {
    std::vector<float> logits(5);
    std::ranges::generate(logits, [&] { return scores(random); });
    const long double mean = std::accumulate(logits.begin(), logits.end(), 0.0L) / 5;
    const float fused = fuse(fuser, logits, 1, 1).scores[0];
    EXPECT_EQ(fused,
              static_cast<float>(mean));  // 2^-40 disappears in fp32's rounding of a number of this size
  }
}

TEST(Fuser, RefusesWeightsThatDoNotAddUp) {
  EXPECT_THROW(Fuser(FusionRule::mean_logits, {1, -1}, 2), Error);
  EXPECT_THROW(Fuser(FusionRule::mean_logits, {1e308, 1e308}, 2), Error);
}

TEST(HeadPredictions, TakesTheLowestLargestOfEachHead) {
  // Two heads, three rows (the last is padding), two classes.
  const std::vector<float> logits{1, 2, 5, 5, 0, 9, /**/ 3, 2, kNaN, 1, 0, 9};
  EXPECT_THAT(head_predictions(logits, 2, 3, 2), ElementsAre(1, 0, /**/ 0, -1));
}

}  // namespace
}  // namespace polyhead::fusion
