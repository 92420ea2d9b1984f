#include "polyhead/plan/grid.hpp"

#include <algorithm>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace polyhead::plan {
namespace {

std::int64_t most_expensive(std::span<const std::int64_t> costs, const std::vector<HeadRange>& runs) {
  std::int64_t most = 0;
  for (const HeadRange& run : runs) {
    const auto first = costs.begin() + run.first;
    most = std::max(most, std::accumulate(first, first + run.count, std::int64_t{0}));
  }
  return most;
}

/// The best there is, by trying every cut.
std::int64_t best_by_trying(std::span<const std::int64_t> costs, int parts) {
  const std::int64_t all = std::accumulate(costs.begin(), costs.end(), std::int64_t{0});
  if (parts == 1) return all;
  std::int64_t best = all;
  for (std::size_t cut = 0; cut <= costs.size(); ++cut) {
    const auto head = costs.first(cut);
    const std::int64_t first = std::accumulate(head.begin(), head.end(), std::int64_t{0});
    best = std::min(best, std::max(first, best_by_trying(costs.subspan(cut), parts - 1)));
  }
  return best;
}

TEST(Grid, GroupsAreConsecutiveRanks) {
  const Grid grid{3, 2};
  EXPECT_EQ(grid.ranks(), 6);
  EXPECT_EQ(grid.group_of(5), 2);
  EXPECT_EQ(grid.member_of(5), 1);
  EXPECT_EQ(grid.leader_of(2), 4);
  EXPECT_TRUE(grid.works(5));
  EXPECT_FALSE(grid.works(6));
}

TEST(SplitHeads, CoversEveryHeadOnceAndBalancesAsWellAsCanBe) {
  std::mt19937 random(7);
  for (int turn = 0; turn < 200; ++turn) {
    std::vector<std::int64_t> costs(std::uniform_int_distribution<std::size_t>(0, 9)(random));
    for (auto& cost : costs) cost = std::uniform_int_distribution<std::int64_t>(0, 50)(random);
    const int parts = std::uniform_int_distribution<int>(1, 4)(random);
    const auto runs = split_heads(costs, parts);
    ASSERT_EQ(runs.size(), static_cast<std::size_t>(parts));
    std::int64_t next = 0;
    for (const HeadRange& run : runs) {
      EXPECT_EQ(run.first, next);
      next += run.count;
    }
    EXPECT_EQ(next, static_cast<std::int64_t>(costs.size()));
    EXPECT_EQ(most_expensive(costs, runs), best_by_trying(costs, parts));
  }
}

TEST(SplitHeads, ByCostNotByCount) {
  const std::vector<std::int64_t> costs{100, 1, 1, 1};
  EXPECT_EQ(split_heads(costs, 2), (std::vector<HeadRange>{{0, 1}, {1, 3}}));
}

TEST(SplitHeads, MorePartsThanHeads) {
  const std::vector<std::int64_t> costs{5, 5};
  EXPECT_EQ(split_heads(costs, 4), (std::vector<HeadRange>{{0, 1}, {1, 1}, {2, 0}, {2, 0}}));
}

}  // namespace
}  // namespace polyhead::plan
