#include "polyhead/model/match.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace polyhead::model {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

CheckpointTensor tensor(const std::string& name, std::vector<std::int64_t> shape = {2}) {
  return {name, std::move(shape), {}};
}

const std::vector<ExpectedParameter> kLinear{{"0.weight", {4, 2}, "there are 2 features", ""},
                                             {"0.bias", {4}, "", ""}};

TEST(MatchParameters, FindsPlainNames) {
  const Checkpoint file{tensor("0.bias", {4}), tensor("0.weight", {4, 2})};
  const Match match = match_parameters(file, kLinear);
  EXPECT_THAT(match.problems, IsEmpty());
  EXPECT_EQ(match.prefix, "");
  EXPECT_EQ(match.found.at("0.weight"), &file[1]);
}

TEST(MatchParameters, TakesSharedPrefixesOff) {
  for (const std::string prefix : {"module.", "_orig_mod.", "head.", "fc.", "classifier.", "net.",
                                   "_orig_mod.module.head.", "model.backbone.encoder."}) {
    const Match match =
        match_parameters({tensor(prefix + "0.bias", {4}), tensor(prefix + "0.weight", {4, 2})}, kLinear);
    EXPECT_THAT(match.problems, IsEmpty()) << prefix;
    EXPECT_EQ(match.prefix, prefix);
  }
}

TEST(MatchParameters, WhatIsNoTensorMattersOnlyWhereOneIsNeeded) {
  const Checkpoint file{tensor("0.weight", {4, 2}),
                        {"0.bias", {0}, {}, "is a list, not a tensor"},
                        {"args", {0}, {}, "is a argparse.Namespace, not a tensor"}};
  EXPECT_THAT(match_parameters(file, kLinear).problems, ElementsAre("0.bias is a list, not a tensor"));
}

TEST(MatchParameters, APrefixThatNotAllShareIsNotTakenOff) {
  const Match match = match_parameters({tensor("head.0.weight", {4, 2}), tensor("0.bias", {4})}, kLinear);
  EXPECT_EQ(match.problems.size(), 2U);
}

TEST(MatchParameters, UnknownPrefixesAreNot) {
  const Match match = match_parameters({tensor("x.0.weight", {4, 2}), tensor("x.0.bias", {4})}, kLinear);
  EXPECT_THAT(match.problems, ElementsAre("0.weight is missing, expected shape [4, 2]",
                                          "0.bias is missing, expected shape [4]",
                                          "x.0.weight [4, 2] is unexpected", "x.0.bias [4] is unexpected"));
}

TEST(MatchParameters, ReportsWhatStandsOutsideThePrefix) {
  const Match match = match_parameters(
      {tensor("backbone.conv1.weight"), tensor("head.0.weight", {4, 2}), tensor("head.0.bias", {4})},
      kLinear);
  EXPECT_THAT(match.problems, IsEmpty());
  EXPECT_THAT(match.outside, ElementsAre("backbone.conv1.weight"));
}

TEST(MatchParameters, ListsEverythingThatIsWrong) {
  const Match match = match_parameters({tensor("0.weight", {4, 3}), tensor("1.weight", {9})}, kLinear);
  EXPECT_THAT(match.problems, ElementsAre("0.bias is missing, expected shape [4]",
                                          "0.weight has shape [4, 3], expected [4, 2]: there are 2 features",
                                          "1.weight [9] is unexpected"));
}

TEST(MatchParameters, TheHintIsForTheLastDimension) {
  const Match match = match_parameters({tensor("0.weight", {5, 2}), tensor("0.bias", {4})}, kLinear);
  EXPECT_THAT(match.problems, ElementsAre("0.weight has shape [5, 2], expected [4, 2]"));
}

TEST(MatchParameters, PairsMayBothBeMissing) {
  const std::vector<ExpectedParameter> norm{{"1.weight", {2}, "", "1.bias"}, {"1.bias", {2}, "", "1.weight"}};
  EXPECT_THAT(match_parameters({}, norm).problems, IsEmpty());
  EXPECT_THAT(match_parameters({tensor("1.weight")}, norm).problems,
              ElementsAre("1.bias is missing, expected shape [2]"));
}

TEST(MatchParameters, LeavesOut) {
  const Match match = match_parameters({tensor("0.weight", {4, 2}), tensor("0.bias", {4}),
                                        tensor("fc.weight"), tensor("1.num_batches_tracked", {})},
                                       kLinear, {"fc.weight", "fc.bias"});
  EXPECT_THAT(match.problems, IsEmpty());
  EXPECT_THAT(match.unused, ElementsAre("fc.weight"));
}

TEST(MatchParameters, LongListsAreCut) {
  Checkpoint file{tensor("0.weight", {4, 2}), tensor("0.bias", {4})};
  for (int i = 0; i < 25; ++i) file.push_back(tensor(fmt::format("extra{}", i)));
  const Match match = match_parameters(file, kLinear);
  EXPECT_EQ(match.problems.size(), 21U);
  EXPECT_EQ(match.problems.back(), "and 5 more unexpected parameters");
}

}  // namespace
}  // namespace polyhead::model
