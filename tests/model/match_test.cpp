#include "model/weights/match.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace polyhead::model {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

checkpoint::CheckpointTensor tensor(const std::string& name, std::vector<std::int64_t> shape = {2}) {
  return {name, std::move(shape), {}};
}

const std::vector<ExpectedParameter> kLinear{{"0.weight", {4, 2}, "there are 2 features", ""},
                                             {"0.bias", {4}, "", ""}};

/// The only reading, or the nearest.
Match only_match(const checkpoint::Checkpoint& file, const std::vector<ExpectedParameter>& expected,
                 const Lookup& lookup = {}) {
  const std::vector<Match> matches = match_parameters(file, expected, lookup);
  EXPECT_EQ(matches.size(), 1U);
  return matches.front();
}

TEST(MatchParameters, FindsPlainNames) {
  const checkpoint::Checkpoint file{tensor("0.bias", {4}), tensor("0.weight", {4, 2})};
  const Match match = only_match(file, kLinear);
  EXPECT_THAT(match.problems, IsEmpty());
  EXPECT_EQ(match.prefix, "");
  EXPECT_EQ(match.found.at("0.weight"), &file[1]);
}

TEST(MatchParameters, TakesAnySharedPrefixOff) {
  for (const std::string prefix :
       {"module.", "head.", "fc.", "_orig_mod.module.head.", "model.backbone.encoder.", "x.", "a.b.c."}) {
    const Match match =
        only_match({tensor(prefix + "0.bias", {4}), tensor(prefix + "0.weight", {4, 2})}, kLinear);
    EXPECT_THAT(match.problems, IsEmpty()) << prefix;
    EXPECT_EQ(match.prefix, prefix);
  }
}

TEST(MatchParameters, WhatIsNoTensorMattersOnlyWhereOneIsNeeded) {
  const checkpoint::Checkpoint file{tensor("0.weight", {4, 2}),
                                    {"0.bias", {0}, {}, "is a list, not a tensor"},
                                    {"args", {0}, {}, "is a argparse.Namespace, not a tensor"}};
  EXPECT_THAT(match_parameters(file, kLinear).front().problems,
              ElementsAre("0.bias is a list, not a tensor"));
}

TEST(MatchParameters, APrefixThatNotAllShareIsNotTakenOff) {
  const Match match = only_match({tensor("head.0.weight", {4, 2}), tensor("0.bias", {4})}, kLinear);
  EXPECT_EQ(match.problems.size(), 2U);
}

TEST(MatchParameters, EveryPrefixThatFitsIsAReading) {
  const checkpoint::Checkpoint file{tensor("a.0.weight", {4, 2}), tensor("a.0.bias", {4}),
                                    tensor("b.0.weight", {4, 2}), tensor("b.0.bias", {4})};
  const std::vector<Match> matches = match_parameters(file, kLinear);
  ASSERT_EQ(matches.size(), 2U);
  EXPECT_EQ(matches[0].prefix, "a.");
  EXPECT_EQ(matches[1].prefix, "b.");
  EXPECT_TRUE(same_values(matches[0], matches[1]));  // none at all
  EXPECT_EQ(only_match(file, kLinear, {"b.", {}, {}, nullptr}).found.at("0.bias"), &file[3]);
}

TEST(MatchParameters, AReadingWithMoreOptionalParametersIsTaken) {
  std::vector<ExpectedParameter> linear = kLinear;
  linear[1].optional = true;
  const checkpoint::Checkpoint file{tensor("a.0.weight", {4, 2}), tensor("b.0.weight", {4, 2}),
                                    tensor("b.0.bias", {4})};
  EXPECT_EQ(only_match(file, linear).prefix, "b.");
}

TEST(MatchParameters, AFileOfSomethingElseIsOneLine) {
  EXPECT_THAT(only_match({tensor("x.weight", {4, 2}), tensor("x.bias", {4})}, kLinear).problems,
              ElementsAre("holds none of the 2 expected parameters (0.weight [4, 2], 0.bias [4]); it holds "
                          "x.weight [4, 2], x.bias [4]"));
}

TEST(MatchParameters, ReportsWhatStandsOutsideThePrefix) {
  const Match match = only_match(
      {tensor("backbone.conv1.weight"), tensor("head.0.weight", {4, 2}), tensor("head.0.bias", {4})},
      kLinear);
  EXPECT_THAT(match.problems, IsEmpty());
  ASSERT_EQ(match.outside.size(), 1U);
}

TEST(MatchParameters, ListsEverythingThatIsWrong) {
  const Match match = only_match({tensor("0.weight", {4, 3}), tensor("1.weight", {9})}, kLinear);
  EXPECT_THAT(match.problems, ElementsAre("0.bias is missing, expected shape [4]",
                                          "0.weight has shape [4, 3], expected [4, 2]: there are 2 features",
                                          "1.weight [9] is unexpected"));
}

TEST(MatchParameters, TheHintIsForTheLastDimension) {
  const Match match = only_match({tensor("0.weight", {5, 2}), tensor("0.bias", {4})}, kLinear);
  EXPECT_THAT(match.problems, ElementsAre("0.weight has shape [5, 2], expected [4, 2]"));
}

TEST(MatchParameters, PairsMayBothBeMissing) {
  const std::vector<ExpectedParameter> norm{{"1.weight", {2}, "", "1.bias"}, {"1.bias", {2}, "", "1.weight"}};
  EXPECT_THAT(only_match({}, norm).problems, IsEmpty());
  EXPECT_THAT(only_match({tensor("1.weight")}, norm).problems,
              ElementsAre("1.bias is missing, expected shape [2]"));
}

TEST(MatchParameters, StrangersAreForTheCallerToJudge) {
  const auto in_layers = [](std::string_view name) { return name.starts_with("layer"); };
  const checkpoint::Checkpoint file{tensor("0.weight", {4, 2}), tensor("0.bias", {4}), tensor("fc.weight"),
                                    tensor("1.num_batches_tracked", {}), tensor("layer5.total_ops", {1})};
  const Match match = only_match(file, kLinear, {{}, {}, in_layers, nullptr});
  EXPECT_THAT(match.problems, IsEmpty());
  EXPECT_EQ(match.beside.size(), 3U);
  checkpoint::Checkpoint strange = file;
  strange.push_back(tensor("layer5.weight"));
  EXPECT_THAT(only_match(strange, kLinear, {{}, {}, in_layers, nullptr}).problems,
              ElementsAre("layer5.weight [2] is unexpected"));
}

TEST(MatchParameters, ALinearLayerMayBeAConvolutionOfOnePixel) {
  EXPECT_TRUE(only_match({tensor("0.weight", {4, 2, 1, 1}), tensor("0.bias", {4})}, kLinear).fits());
  EXPECT_FALSE(only_match({tensor("0.weight", {4, 2, 3, 3}), tensor("0.bias", {4})}, kLinear).fits());
  EXPECT_FALSE(fits_shape({64, 3, 7, 7}, {64, 3, 7}));
}

TEST(MatchParameters, LongListsAreCut) {
  checkpoint::Checkpoint file{tensor("0.weight", {4, 2}), tensor("0.bias", {4})};
  for (int i = 0; i < 25; ++i) file.push_back(tensor(fmt::format("extra{}", i)));
  const Match match = only_match(file, kLinear);
  EXPECT_EQ(match.problems.size(), 4U);
  EXPECT_EQ(match.problems.back(), "and 22 more unexpected parameters");
}

}  // namespace
}  // namespace polyhead::model
