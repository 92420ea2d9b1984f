#include "polyhead/plan/lease.hpp"

#include <gtest/gtest.h>

#include "polyhead/plan/micro_batches.hpp"

namespace polyhead::plan {
namespace {

class LeaseScheduleTest : public ::testing::TestWithParam<std::tuple<std::int64_t, std::int64_t>> {};

TEST_P(LeaseScheduleTest, HandsOutEachMicroBatchOnceAndNeverMoreThanAFairShare) {
  const auto [batches, takers] = GetParam();
  LeaseSchedule schedule(batches, takers);
  std::int64_t expected = 0;
  std::int64_t previous = batches + 1;
  while (const auto lease = schedule.next()) {
    EXPECT_EQ(lease->first, expected);
    EXPECT_GE(lease->count, 1);
    EXPECT_LE(lease->count, previous);  // large first, small at the end
    EXPECT_LE(lease->count, std::max<std::int64_t>(1, batches / takers));
    previous = lease->count;
    expected += lease->count;
  }
  EXPECT_EQ(expected, batches);
  EXPECT_EQ(schedule.next(), std::nullopt);
}
INSTANTIATE_TEST_SUITE_P(Sizes, LeaseScheduleTest,
                         ::testing::Combine(::testing::Values(0, 1, 2, 7, 64, 1563, 3'125'000),
                                            ::testing::Values(1, 2, 3, 8, 4096)));

TEST(LeaseSchedule, NeverHandsOutMoreThanAllowed) {
  LeaseSchedule schedule(1000, 2, 1, 100);
  std::int64_t sum = 0;
  while (const auto lease = schedule.next()) {
    EXPECT_LE(lease->count, 100);
    sum += lease->count;
  }
  EXPECT_EQ(sum, 1000);
  EXPECT_EQ(LeaseSchedule(1000, 2, 1, 100).next()->count, 100);
}

TEST(LeaseSchedule, HandsOutWholeUnits) {
  LeaseSchedule schedule(1001, 3, 4, 102);
  std::int64_t sum = 0;
  while (const auto lease = schedule.next()) {
    sum += lease->count;
    EXPECT_LE(lease->count, 102);
    EXPECT_TRUE(lease->count % 4 == 0 || sum == 1001) << lease->count;
  }
  EXPECT_EQ(sum, 1001);
}

TEST(MicroBatches, CutTheSamples) {
  const MicroBatches batches(70, 32);
  EXPECT_EQ(batches.count(), 3);
  EXPECT_EQ(batches.samples_of(0), (SampleRange{0, 32}));
  EXPECT_EQ(batches.samples_of(2), (SampleRange{64, 6}));
}

TEST(MicroBatches, WithoutRemainder) {
  const MicroBatches batches(64, 32);
  EXPECT_EQ(batches.count(), 2);
  EXPECT_EQ(batches.samples_of(1), (SampleRange{32, 32}));
}

}  // namespace
}  // namespace polyhead::plan
