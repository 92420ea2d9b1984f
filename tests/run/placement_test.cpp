#include "polyhead/run/placement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "polyhead/comm/local.hpp"

namespace polyhead::run {
namespace {

using ::testing::HasSubstr;

TEST(GatherCores, TellsThisRanksCores) {
  comm::LocalWorld world(1);
  const auto ranks = gather_cores(*world.collectives(0), "alpha");
  ASSERT_EQ(ranks.size(), 1U);
  EXPECT_EQ(ranks[0].host, "alpha");
  EXPECT_FALSE(ranks[0].cores.empty());
}

TEST(ChoosePlacement, ThreadsComeFromTheCoresUnlessSet) {
  const std::vector<plan::RankCores> ranks{{"a", {0, 1, 2, 3}, {}}, {"a", {0, 1, 2, 3}, {}}};
  config::Parallel parallel;
  parallel.device = config::Device::cpu;
  EXPECT_EQ(choose_placement(ranks, 1, 1, parallel).threads, 2);
  parallel.threads = 7;
  EXPECT_EQ(choose_placement(ranks, 1, 1, parallel).threads, 7);
  EXPECT_FALSE(choose_placement(ranks, 1, 1, parallel).cuda);
}

TEST(IdleCoresWarning, SpeaksUpWhenMpirunBindsRanksToSingleCores) {
  const std::vector<plan::RankCores> bound{{"a", {0}, {}}, {"a", {1}, {}}};
  EXPECT_THAT(idle_cores_warning(bound, 1, 64), HasSubstr("2 of 64 cores of a are used"));
  EXPECT_THAT(idle_cores_warning(bound, 1, 64), HasSubstr("--bind-to none"));
  EXPECT_EQ(idle_cores_warning(bound, 1, 2), "");
}

TEST(IdleCoresWarning, AQuotaIsNoMistake) {
  EXPECT_EQ(idle_cores_warning({{"a", {0, 1, 2, 3}, 1.0}}, 1, 64), "");
}

}  // namespace
}  // namespace polyhead::run
