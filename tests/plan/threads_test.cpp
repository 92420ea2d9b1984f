#include "polyhead/plan/threads.hpp"

#include <gtest/gtest.h>

namespace polyhead::plan {
namespace {

RankCores on(const std::string& host, std::vector<int> cores, std::optional<double> quota = {}) {
  return {host, std::move(cores), quota};
}

TEST(ThreadsFor, OneRankTakesItsCores) {
  EXPECT_EQ(threads_for({on("a", {0, 1, 2, 3})}, 0), 4);
}

TEST(ThreadsFor, RanksShareTheCoresOfTheirHost) {
  const std::vector<RankCores> ranks{on("a", {0, 1, 2, 3}), on("a", {0, 1, 2, 3}), on("b", {0, 1, 2, 3})};
  EXPECT_EQ(threads_for(ranks, 0), 2);
  EXPECT_EQ(threads_for(ranks, 1), 2);
  EXPECT_EQ(threads_for(ranks, 2), 4);
}

TEST(ThreadsFor, BoundRanksKeepTheirOwnCores) {
  const std::vector<RankCores> ranks{on("a", {0, 1}), on("a", {2, 3})};
  EXPECT_EQ(threads_for(ranks, 0), 2);
  EXPECT_EQ(threads_for(ranks, 1), 2);
}

TEST(ThreadsFor, ThirdsAddUp) {
  const std::vector<RankCores> ranks(3, on("a", {0, 1, 2}));
  EXPECT_EQ(threads_for(ranks, 0), 1);
}

TEST(ThreadsFor, TheQuotaIsDividedAmongTheHostsRanks) {
  const std::vector<RankCores> ranks(2, on("a", {0, 1, 2, 3, 4, 5, 6, 7}, 4.0));
  EXPECT_EQ(threads_for(ranks, 0), 2);
}

TEST(ThreadsFor, AtLeastOne) {
  const std::vector<RankCores> ranks(4, on("a", {0, 1}, 0.5));
  EXPECT_EQ(threads_for(ranks, 3), 1);
}

TEST(WorkersFor, AreAsManyAsComputeUnlessSaid) {
  EXPECT_EQ(workers_for({}, 1), 1);
  EXPECT_EQ(workers_for({}, 12), 12);
  EXPECT_EQ(workers_for(3, 12), 3);
  EXPECT_EQ(workers_for(12, 1), 12);
  EXPECT_EQ(workers_for({}, 0), 1);
  EXPECT_EQ(workers_for({}, 384), 256);
}

}  // namespace
}  // namespace polyhead::plan
