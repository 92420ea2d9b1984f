#include "polyhead/plan/planner.hpp"

#include <chrono>
#include <cmath>
#include <map>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support.hpp"
#include "jobs.hpp"
#include "polyhead/plan/lease.hpp"
#include "polyhead/plan/micro_batches.hpp"

namespace polyhead::plan {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using namespace testing;

config::Parallel strategy(config::Strategy wanted) {
  config::Parallel parallel;
  parallel.strategy = wanted;
  return parallel;
}

config::Parallel grid(int data, int heads) {
  config::Parallel parallel = strategy(config::Strategy::grid);
  parallel.grid = config::GridShape{data, heads};
  return parallel;
}

/// Plays the plan's leases, every group as fast as the others: how often each micro-batch was computed, and
/// the number of steps until all are.
struct Played {
  std::vector<int> times;
  std::int64_t steps = 0;
};

Played play(const Plan& plan, std::int64_t micro_batches) {
  const Grid& grid = plan.chosen.grid;
  LeaseSchedule schedule((micro_batches + grid.heads - 1) / grid.heads, grid.data);
  Played played{std::vector<int>(static_cast<std::size_t>(micro_batches)), 0};
  std::multimap<std::int64_t, int> free;  // when, which group
  for (int group = 0; group < grid.data; ++group) free.emplace(0, group);
  std::vector<std::int64_t> under_way(static_cast<std::size_t>(grid.data));
  while (!free.empty()) {
    const auto [now, group] = *free.begin();
    free.erase(free.begin());
    std::int64_t& mine = under_way[static_cast<std::size_t>(group)];
    if (mine > 0) schedule.finished(group, mine, static_cast<double>(now));
    const auto lease = schedule.next(group, static_cast<double>(now));
    mine = lease ? lease->count : 0;
    if (!lease) continue;
    free.emplace(now + lease->count, group);
    played.steps = std::max(played.steps, now + lease->count);
    const std::int64_t end = std::min(micro_batches, (lease->first + lease->count) * grid.heads);
    for (std::int64_t i = lease->first * grid.heads; i < end; ++i)
      ++played.times[static_cast<std::size_t>(i)];
  }
  return played;
}

void expect_heads_covered(const Candidate& candidate, std::size_t heads) {
  ASSERT_EQ(candidate.heads.size(), static_cast<std::size_t>(candidate.grid.heads));
  std::int64_t next = 0;
  for (const HeadRange& range : candidate.heads) {
    EXPECT_EQ(range.first, next);
    next += range.count;
  }
  EXPECT_EQ(next, static_cast<std::int64_t>(heads));
}

class Scale : public ::testing::TestWithParam<int> {};

TEST_P(Scale, EveryMicroBatchIsComputedOnceAndAsSoonAsPredicted) {
  for (const auto& topology : {gpus(GetParam()), cpus(GetParam())}) {
    for (const auto& wanted :
         {strategy(config::Strategy::automatic), grid(GetParam() / 4, 4), grid(GetParam() / 8, 8)}) {
      Workload work = imagenet();
      work.samples = 1'281'167;
      const Plan plan = make_plan(work, topology, wanted);
      const Played played = play(plan, work.micro_batches());
      EXPECT_THAT(played.times, ::testing::Each(1));
      EXPECT_EQ(played.steps, plan.chosen.estimate.steps);
      expect_heads_covered(plan.chosen, work.heads.size());
    }
  }
}

/// 20 micro-batches a rank are enough, whatever their number is. With 10 classes: rows are small, so that
/// rank 0 can take them in from thousands of ranks.
double least_efficiency(int ranks, Topology topology) {
  double least = 1;
  for (const std::int64_t more : {0, 1, ranks / 2, ranks - 1}) {
    Workload work = imagenet(10);
    if (topology.processor.gpu) {
      work.batch = 256;
      work.backbone.flops = 8'180 * kMega;
    }
    work.samples = (20LL * ranks + more) * work.batch;
    const Plan plan = make_plan(work, topology, {});
    EXPECT_TRUE(plan.chosen.fits);
    EXPECT_LE(plan.chosen.estimate.efficiency, 1.0);
    least = std::min(least, plan.chosen.estimate.efficiency);
  }
  return least;
}

TEST_P(Scale, IsEfficient) {
  Topology arrays = gpus(GetParam());
  arrays.reading.images_per_second = 2650;  // not encoded
  EXPECT_GE(least_efficiency(GetParam(), arrays), 0.95);
  EXPECT_GE(least_efficiency(GetParam(), cpus(GetParam())), 0.95);
}

/// ResNet-50 on photographs: 20 micro-batches a rank, and some more.
Workload photographs(int ranks, std::int64_t more) {
  Workload work = imagenet(10);
  work.batch = 256;
  work.backbone.flops = 8'180 * kMega;
  work.samples = (20LL * ranks + more) * work.batch;
  return work;
}

constexpr double kDecoding = 256 / (16 * 450.0);  // seconds that a GPU's cores take for a micro-batch

/// No schedule can do better than n / ceil(n) with n micro-batches a rank, each computed whole by one. 20 a
/// rank and one more are the worst case. The first ones are decoded while the job is set up.
TEST_P(Scale, IsAsEfficientAsWholeMicroBatchesAllow) {
  const int ranks = GetParam();
  for (const std::int64_t more : {0, 1, ranks / 2, ranks - 1}) {
    Workload work = photographs(ranks, more);
    const Estimate estimate = make_plan(work, gpus(ranks), {}).chosen.estimate;
    ASSERT_LT(kDecoding, 0.12 * estimate.step.total);
    const double each = 20 + static_cast<double>(more) / ranks;
    EXPECT_NEAR(estimate.efficiency, each / std::ceil(each), 1e-9) << more;
    EXPECT_GE(estimate.efficiency, 0.95) << more;
    if (ranks > 512) continue;  // rank 0 could not take in twice as many micro-batches
    work.batch /= 2;            // loses half as much
    EXPECT_GE(make_plan(work, gpus(ranks), {}).chosen.estimate.efficiency, 0.97) << more;
  }
}

/// Where ranks are ready sooner than the first images, the rest of reading them counts; and all of it where
/// features may be cached, since nobody knows what must be read before the work begins.
TEST_P(Scale, WhatSettingUpDoesNotHideOfTheFirstImagesCounts) {
  const int ranks = GetParam();
  Topology topology = gpus(ranks);
  for (const std::int64_t more : {0, 1, ranks / 2, ranks - 1}) {
    Workload work = photographs(ranks, more);
    const double each = 20 + static_cast<double>(more) / ranks;
    const auto expected = [&](const Estimate& estimate, double hidden) {
      return each / (std::ceil(each) + (kDecoding - hidden) / estimate.step.total);
    };
    topology.equip_seconds = 0.01;  // and twice the weights, 12 GB/s between nodes, 10 within one
    const double weights = 2.0 * static_cast<double>(work.backbone.bytes + 5 * work.heads.front().bytes);
    const Link& link = ranks > 8 ? topology.between : topology.inside;
    const double transfer = weights / link.bytes_per_second + std::log2(ranks) * link.latency;
    const Estimate shown = make_plan(work, topology, {}).chosen.estimate;
    EXPECT_NEAR(shown.efficiency, expected(shown, 0.01 + transfer), 1e-9) << more;
    EXPECT_DOUBLE_EQ(shown.setting_up, 5 + 0.01 + transfer);
    topology.equip_seconds = 5;
    work.cached = true;
    const Estimate cached = make_plan(work, topology, {}).chosen.estimate;
    EXPECT_NEAR(cached.efficiency, expected(cached, 0), 1e-9) << more;
  }
}

TEST_P(Scale, NeedsNoMoreMemoryThanThereIs) {
  for (const auto& topology : {gpus(GetParam()), cpus(GetParam())}) {
    const Plan plan = make_plan(imagenet(), topology, {});
    EXPECT_TRUE(plan.chosen.fits);
    for (const RankMemory& memory : plan.chosen.memory) {
      EXPECT_LE(memory.gpu.total(), plan.limits.gpu);
      EXPECT_LE(memory.host.total(), plan.limits.host);
      EXPECT_GT(memory.host.total(), 0);
    }
    EXPECT_GE(plan.largest_batch, imagenet().batch);
  }
}

TEST_P(Scale, TakesLessThanASecond) {
  Workload work = imagenet();
  work.heads.assign(10'000, mlp(512, 10, 10));
  const auto start = std::chrono::steady_clock::now();
  const Plan plan = make_plan(work, gpus(GetParam()), {});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  expect_heads_covered(plan.chosen, 10'000);
}

INSTANTIATE_TEST_SUITE_P(Ranks, Scale, ::testing::Values(8, 64, 512, 4096));

/// ceil(1563 / 64) = 25 rounds where 24.4 would do.
TEST(Planner, ImageNetOn64Ranks) {
  for (const auto& topology : {gpus(64), cpus(64)}) {
    const Plan plan = make_plan(imagenet(), topology, {});
    EXPECT_EQ(plan.chosen.grid, (Grid{64, 1}));
    EXPECT_EQ(plan.chosen.estimate.steps, 25);
    EXPECT_NEAR(plan.chosen.estimate.efficiency, 50'000.0 / 32 / 64 / 25, 0.02);
    EXPECT_GE(plan.chosen.estimate.efficiency, 0.95);
    EXPECT_EQ(play(plan, 1563).steps, 25);
  }
}

TEST(Planner, SmallHeadsAreNotShared) {
  const Plan plan = make_plan(imagenet(10), gpus(64), {});
  EXPECT_EQ(plan.chosen.grid, (Grid{64, 1}));
  EXPECT_THAT(plan.reason, HasSubstr("every rank can hold all 5 heads"));
  EXPECT_TRUE(plan.warnings.empty()) << plan.warnings.front();
}

/// 40 heads of 1 GiB on GPUs of 16 GiB.
TEST(Planner, HeadsThatDoNotFitAreShared) {
  Workload work = imagenet();
  work.heads.assign(40, {268'435'456, 1 << 30, 3, 4096});
  const Plan plan = make_plan(work, gpus(64), {});
  EXPECT_GT(plan.chosen.grid.heads, 2);
  EXPECT_TRUE(plan.chosen.fits);
  for (const RankMemory& memory : plan.chosen.memory) EXPECT_LE(memory.gpu.total(), plan.limits.gpu);
  EXPECT_FALSE(plan.compared.front().fits);
  EXPECT_THAT(plan.reason, HasSubstr("a rank with all 40 heads (40.0 GiB) would need"));
  Topology larger = gpus(64, std::uint64_t{80} << 30U);
  larger.host_memory = std::uint64_t{2} << 40U;  // rank 0 reads all heads
  EXPECT_EQ(make_plan(work, larger, {}).chosen.grid, (Grid{64, 1}));
}

/// Memory of a rank falls with H.
TEST(Planner, TenThousandHeads) {
  Workload work = imagenet(10);
  work.heads.assign(10'000, {5'121, 20'520, 1, 2'088});
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  for (const int heads : {1, 2, 4, 8}) {
    const Plan plan = make_plan(work, cpus(8), grid(8 / heads, heads));
    const std::int64_t bytes = plan.chosen.memory.back().host.heads;
    EXPECT_NEAR(static_cast<double>(bytes), 10'000 * 20'520.0 / heads, 1e5);
    EXPECT_LT(bytes, before);
    before = bytes;
  }
}

TEST(Planner, HeadsOfMixedSizeAreSharedByCost) {
  Workload work = imagenet();
  work.heads.assign(64, mlp(512, 64, 1000));
  for (std::size_t k = 0; k < 8; ++k) work.heads[k] = mlp(512, 4096, 1000);
  const Plan plan = make_plan(work, gpus(8), grid(2, 4));
  expect_heads_covered(plan.chosen, 64);
  std::vector<std::int64_t> costs;
  for (const HeadRange& range : plan.chosen.heads) {
    std::int64_t cost = 0;
    for (std::int64_t k = range.first; k < range.first + range.count; ++k) {
      cost += work.heads[static_cast<std::size_t>(k)].multiplications;
    }
    costs.push_back(cost);
  }
  EXPECT_LE(*std::ranges::max_element(costs), 1.5 * static_cast<double>(*std::ranges::min_element(costs)));
}

/// Few micro-batches and heavy heads: ranks that would have no micro-batch can still compute heads.
TEST(Planner, SharesHeavyHeadsWhenThereAreFewMicroBatches) {
  Workload work = imagenet();
  work.samples = 8 * 32;
  work.heads.assign(64, {400 * kMega, 1'600 * kMega, 3, 40'000});
  Topology topology = cpus(64);
  topology.host_memory = std::uint64_t{4} << 40U;
  const Plan plan = make_plan(work, topology, {});
  EXPECT_GT(plan.chosen.grid.heads, 1);
  EXPECT_LT(plan.chosen.estimate.working, 0.95 * plan.compared.front().estimate.working);
  EXPECT_THAT(plan.reason, HasSubstr("there are 8 micro-batches for 64 ranks"));
}

TEST(Planner, ObeysTheConfiguration) {
  const auto chosen = [](const config::Parallel& wanted) {
    return make_plan(imagenet(), gpus(6), wanted).chosen.grid;
  };
  EXPECT_EQ(chosen(strategy(config::Strategy::data)), (Grid{6, 1}));
  EXPECT_EQ(chosen(strategy(config::Strategy::heads)), (Grid{1, 6}));
  EXPECT_EQ(chosen(grid(2, 3)), (Grid{2, 3}));
}

TEST(Planner, RefusesAGridOfMoreRanksThanThereAre) {
  const auto [code, text] =
      polyhead::testing::error_of([] { return make_plan(imagenet(), gpus(4), grid(2, 3)); });
  EXPECT_EQ(code, ExitCode::config);
  EXPECT_EQ(
      text,
      "parallel.grid: a grid of 2 x 3 (data x heads) needs 6 ranks, but 4 were started; start 6, or choose a "
      "smaller grid");
  EXPECT_THAT(
      polyhead::testing::error_of([] { return make_plan(imagenet(), gpus(1), grid(65'536, 65'536)); }).second,
      HasSubstr("needs 4294967296 ranks, but 1 was started"));
}

TEST(Planner, WarnsOfSurplusRanks) {
  const Plan plan = make_plan(imagenet(), gpus(7), grid(3, 2));
  EXPECT_THAT(plan.warnings, Contains("1 of 7 ranks will idle: a grid of 3 x 2 uses 6"));
}

TEST(Planner, WarnsOfRanksWithoutMicroBatches) {
  Workload work = imagenet();
  work.samples = 100;
  const Plan plan = make_plan(work, gpus(8), {});
  EXPECT_THAT(plan.warnings, Contains("there are only 4 micro-batches: 4 of 8 ranks get none; a smaller "
                                      "parallel.batch (now 32) makes more of them"));
}

TEST(Planner, SaysWhatFitsWhenNothingDoes) {
  Workload work = imagenet();
  work.batch = 4096;
  const Plan plan = make_plan(work, gpus(8, std::uint64_t{8} << 30U), {});
  EXPECT_FALSE(plan.chosen.fits);
  EXPECT_THAT(
      plan.warnings,
      Contains(HasSubstr(fmt::format("the largest parallel.batch that fits is {}", plan.largest_batch))));
  work.batch = plan.largest_batch;
  EXPECT_TRUE(make_plan(work, gpus(8, std::uint64_t{8} << 30U), {}).chosen.fits);
}

TEST(ChooseBatch, IsTheUsualOneOnAnyNumberOfRanks) {
  for (const int ranks : {1, 2, 64, 4096}) {
    EXPECT_EQ(choose_batch(imagenet(), gpus(ranks), {}), kDefaultBatch);
    EXPECT_EQ(choose_batch(imagenet(), cpus(ranks), strategy(config::Strategy::heads)), kDefaultBatch);
  }
}

TEST(ChooseBatch, IsTheConfigurationsWhereItSaysSo) {
  Workload work = imagenet();
  work.batch = 4000;  // does not fit
  config::Parallel wanted;
  wanted.batch = 4000;
  EXPECT_EQ(choose_batch(work, gpus(1, std::uint64_t{2} << 30U), wanted), 4000);
}

/// An image needs 100 MB more than the weights.
TEST(ChooseBatch, IsHalvedUntilItFits) {
  Workload work = imagenet();
  work.backbone.activations = 100 * kMega;
  const Topology topology = gpus(8, std::uint64_t{3} << 30U);
  work.batch = choose_batch(work, topology, {});
  EXPECT_EQ(work.batch, 16);
  const Plan plan = make_plan(work, topology, {});
  EXPECT_TRUE(plan.chosen.fits);
  EXPECT_LT(plan.largest_batch, 32);
  EXPECT_THAT(plan.warnings,
              Contains(HasSubstr("parallel.batch: auto is 16 here, since 32 images at a time")));
}

/// Sharing the heads is tried before the micro-batch is halved.
TEST(ChooseBatch, IsTheUsualOneWhereSharedHeadsFit) {
  Workload work = imagenet();
  work.heads.assign(40, {268'435'456, 1 << 30, 3, 4096});
  EXPECT_EQ(choose_batch(work, gpus(64), {}), kDefaultBatch);
  EXPECT_EQ(choose_batch(work, gpus(64), strategy(config::Strategy::data)), kDefaultBatch);  // nothing fits
}

TEST(Planner, WarnsWhenTheConfigurationIsMuchSlowerThanAuto) {
  Workload work = imagenet();
  Topology topology = cpus(8);
  topology.inside = topology.between = {1e6, 1e-3};
  const Plan plan = make_plan(work, topology, strategy(config::Strategy::heads));
  EXPECT_THAT(plan.warnings, Contains(HasSubstr("parallel.strategy: auto would take 8 x 1")));
}

/// 4 KB of scores an image from 512 GPUs are more than a disk takes.
TEST(Planner, WarnsWhenRank0CannotKeepUp) {
  Workload work = imagenet();
  work.samples = 10 * kMega;
  const Plan plan = make_plan(work, gpus(512), {});
  EXPECT_EQ(plan.chosen.estimate.bottleneck, Bottleneck::rank0);
  EXPECT_LT(plan.chosen.estimate.efficiency, 0.5);
  EXPECT_THAT(plan.warnings,
              Contains(HasSubstr("rank 0 cannot take in rows as fast as the others make them")));
}

TEST(Planner, MoreRanksThanHeadsAreNeverPutInAGroup) {
  for (const Candidate& candidate : make_plan(imagenet(), gpus(4096), {}).compared) {
    EXPECT_LE(candidate.grid.heads, 5);
  }
}

TEST(Planner, IsAPureFunction) {
  const Plan first = make_plan(imagenet(), gpus(512), {});
  const Plan second = make_plan(imagenet(), gpus(512), {});
  EXPECT_EQ(first.chosen.grid, second.chosen.grid);
  EXPECT_EQ(first.reason, second.reason);
  EXPECT_EQ(first.chosen.estimate.working, second.chosen.estimate.working);
}

}  // namespace
}  // namespace polyhead::plan
