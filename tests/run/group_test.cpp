/// Head groups give the same bits on any grid, and overlap what they exchange with what they compute.

#include <cstring>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support.hpp"
#include "group_job.hpp"

namespace polyhead::run {
namespace {

using ::testing::ElementsAre;
using namespace testing;

/// Sums and predictions of one sample, worked out by hand.
TEST(Group, GivesWhatTheModelSays) {
  const Shape shape{{1, 1}, 1, 6, 2, config::Features::exchange};
  const auto bytes = run(shape);
  const auto offsets = offsets_of();
  std::array<float, 2> fused{};
  std::memcpy(fused.data(), bytes.data() + offsets.of("/fused/scores") + 5 * sizeof(fused), sizeof(fused));
  // Sample 5: f0 = 0.625, f1 = 1.25. Head 0 (weight 1): 0.625, 1.25; head 1 (weight 1.25): 1.25, 0.25.
  EXPECT_FLOAT_EQ(fused[0], static_cast<float>((0.625 + 1.25 * 1.25) / 2.25));
  EXPECT_FLOAT_EQ(fused[1], static_cast<float>((1.25 + 1.25 * 0.25) / 2.25));
  std::array<std::int32_t, 2> heads{};
  std::memcpy(heads.data(), bytes.data() + offsets.of("/heads/prediction") + 5 * sizeof(heads),
              sizeof(heads));
  EXPECT_THAT(heads, ElementsAre(1, 0));
}

using Table = std::tuple<int, int, std::int64_t, config::Features>;
class GroupTest : public ::testing::TestWithParam<Table> {};

TEST_P(GroupTest, TheGridLeavesNoTrace) {
  const auto [data, heads, count, features] = GetParam();
  for (const std::int64_t samples : {1, 4, 57, 203}) {
    const auto expected = run({{1, 1}, 1, samples, count, config::Features::exchange});
    const Shape shape{{data, heads}, data * heads, samples, count, features};
    EXPECT_EQ(run(shape), expected) << samples;
    GroupJob job(shape);
    job.opened = true;
    EXPECT_EQ(job.run(guided(shape)), expected) << samples;
  }
}
INSTANTIATE_TEST_SUITE_P(
    Grids, GroupTest,
    ::testing::Combine(::testing::Values(1, 2, 3), ::testing::Values(1, 2, 3, 5), ::testing::Values(1, 3, 7),
                       ::testing::Values(config::Features::exchange, config::Features::local)));

TEST(Group, SurplusRanksWaitForTheEnd) {
  const auto expected = run({{1, 1}, 1, 57, 3, config::Features::exchange});
  for (const bool opened : {false, true}) {
    GroupJob job({{1, 2}, 4, 57, 3, config::Features::exchange});
    job.opened = opened;
    EXPECT_EQ(job.run(guided({{1, 2}, 4, 57, 3, config::Features::exchange})), expected);
  }
}

/// Leases of any length, a lone last micro-batch among them.
TEST(Group, LeasesLeaveNoTrace) {
  const auto expected = run({{1, 1}, 1, 203, 3, config::Features::exchange});
  std::mt19937 dice(5);
  for (const std::int64_t most : {1, 2, 3, 5, 20}) {
    const auto sizes = [&] { return std::uniform_int_distribution<std::int64_t>(1, most)(dice); };
    for (const auto features : {config::Features::exchange, config::Features::local}) {
      GroupJob job({{2, 3}, 6, 203, 3, features});
      EXPECT_EQ(job.run({51, 2, 1, most, sizes}), expected) << most;
      GroupJob open({{2, 3}, 6, 203, 3, features});
      open.opened = true;  // with a whole step
      EXPECT_EQ(open.run({51, 2, 3, most, sizes}), expected) << most;
    }
  }
}

/// Another grid takes what the first has computed; what is missing or damaged is computed in between.
TEST(Group, CachedFeaturesLeaveNoTrace) {
  constexpr std::int64_t kSamples = 57;
  constexpr std::int64_t kBatches = 15;
  const auto expected = run({{1, 1}, 1, kSamples, 3, config::Features::exchange});
  const polyhead::testing::TemporaryFolder folder;
  store::FeatureCache cache(folder / "out.h5", "key", {kSamples, kBatch, kFeatures},
                            [](std::int64_t) { return Digest{}; });
  const auto expect = [&](const Shape& shape, int computed) {
    GroupJob job(shape);
    job.cache = &cache;
    EXPECT_EQ(job.run(guided(shape)), expected);
    EXPECT_EQ(job.computed, computed);
  };
  expect({{2, 1}, 2, kSamples, 3, config::Features::exchange}, kBatches);
  for (const auto features : {config::Features::exchange, config::Features::local}) {
    for (const plan::Grid grid : {plan::Grid{1, 1}, plan::Grid{1, 2}, plan::Grid{2, 3}}) {
      expect({grid, grid.ranks(), kSamples, 3, features}, 0);
      for (const std::int64_t batch : {0, 3, 4, 14}) cache.forget(batch);
      expect({grid, grid.ranks(), kSamples, 3, features}, 4);
    }
  }
}

/// While a backbone computes, the last step's features and the sums of the one before are on their way.
TEST(Group, ExchangesWhileItComputes) {
  GroupJob job({{1, 2}, 2, 4 * kBatch * 2, 2, config::Features::exchange});
  job.run(guided({{1, 2}, 2, 4 * kBatch * 2, 2, config::Features::exchange}));
  const std::vector<std::string> begin{"features", "start gather"};
  const std::vector<std::string> fuse{"have gather", "heads", "heads", "start reduce", "start send"};
  std::vector<std::string> expected;
  const auto add = [&](const std::vector<std::string>& part) {
    expected.insert(expected.end(), part.begin(), part.end());
  };
  add(begin);
  for (int step = 1; step < 4; ++step) {
    add(begin);                                       // step
    add(fuse);                                        // step - 1
    if (step > 1) add({"have reduce", "have send"});  // step - 2
  }
  add(fuse);
  add({"have reduce", "have send", "have reduce", "have send"});
  EXPECT_EQ(job.trace.events(), expected);
}

}  // namespace
}  // namespace polyhead::run
