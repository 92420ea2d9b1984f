#include "fusion/mean.hpp"

#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace polyhead::fusion {
namespace {

TEST(Softmax, MatchesScipy) {
  // scipy.special.softmax(numpy.array([1.0, 2.0, 4.0]))
  const std::array<float, 3> logits{1.0F, 2.0F, 4.0F};
  std::array<double, 3> scores{};
  softmax(logits, scores);
  EXPECT_DOUBLE_EQ(scores[0], 0.04201006613406605);
  EXPECT_DOUBLE_EQ(scores[1], 0.11419519938459449);
  EXPECT_DOUBLE_EQ(scores[2], 0.8437947344813395);
}

TEST(Softmax, LargeLogitsDoNotOverflow) {
  const std::array<float, 2> logits{3e38F, -3e38F};
  std::array<double, 2> scores{};
  softmax(logits, scores);
  EXPECT_EQ(scores, (std::array<double, 2>{1.0, 0.0}));
}

TEST(Rules, EachWordOfTheConfigurationHasOne) {
  for (const config::FusionRuleWord& word : config::kFusionRules) {
    EXPECT_NE(make_rule(word.value, {1}, 2), nullptr) << word.text;
  }
}

}  // namespace
}  // namespace polyhead::fusion
