#include "polyhead/plan/memory.hpp"

#include <gtest/gtest.h>

#include "jobs.hpp"

namespace polyhead::plan {
namespace {

using namespace testing;
constexpr auto kExchange = config::Features::exchange;

RankMemory alone(const Workload& work, const Topology& topology) {
  return memory_of(work, topology, {1, 1}, kExchange, {0, static_cast<std::int64_t>(work.heads.size())},
                   false);
}

TEST(Memory, OfARankOnACpu) {
  const Workload work = imagenet();
  const MemoryUse host = alone(work, cpus(1)).host;
  const std::int64_t heads = 5 * work.heads.front().bytes;
  EXPECT_EQ(host.process, 200 << 20);
  EXPECT_EQ(host.backbone, work.backbone.bytes + work.backbone.shared_bytes);
  EXPECT_EQ(host.heads, heads);
  EXPECT_EQ(host.activations, work.backbone.cpu_workspace + 32 * work.backbone.cpu_activations);
  EXPECT_EQ(host.loader,
            (3 + 1) * 32 * work.image_values * 4);  // 64 MiB hold 3 micro-batches; one is computed
  EXPECT_EQ(host.total(),
            host.process + host.backbone + host.heads + host.activations + host.exchange + host.loader);
}

TEST(Memory, OfANodeHasTheEnginesWeightsOnce) {
  Workload work = imagenet();
  work.backbone.prepared_bytes = 7 * kMega;
  const auto backbone = [&](int ranks, Grid grid) {
    return memory_of(work, cpus(ranks), grid, kExchange, {0, 5}, false).host.backbone;
  };
  const std::int64_t own = work.backbone.bytes + 7 * kMega;
  EXPECT_EQ(backbone(4, {4, 1}), own + 175 * kMega / 4);
  EXPECT_EQ(backbone(64, {64, 1}), own + 175 * kMega / 8);  // 8 ranks a node
  EXPECT_EQ(backbone(4, {1, 2}), own + 175 * kMega / 2);    // two ranks are surplus
}

TEST(Memory, OfARankWithAGpu) {
  const Workload work = imagenet();
  const RankMemory memory = alone(work, gpus(1));
  EXPECT_EQ(memory.gpu.backbone, work.backbone.bytes);
  EXPECT_EQ(memory.gpu.heads, 5 * work.heads.front().bytes);
  EXPECT_EQ(memory.gpu.activations, 32 * (work.backbone.activations + work.image_values));
  EXPECT_EQ(memory.gpu.process, 1 << 30);
  EXPECT_EQ(memory.gpu.exchange, 0);
  EXPECT_EQ(memory.host.loader, (13 + 1) * 32 * work.image_values);  // of 64 MiB: bytes, not floats
  EXPECT_EQ(memory.host.activations, 0);
}

TEST(Memory, OfAGpuThatGetsFloats) {
  Workload work = imagenet();
  work.gpu_value = 4;
  const RankMemory memory = alone(work, gpus(1));
  EXPECT_EQ(memory.gpu.activations, 32 * (work.backbone.activations + 4 * work.image_values));
  EXPECT_EQ(memory.host.loader, (3 + 1) * 32 * 4 * work.image_values);
}

TEST(Memory, OfAGpuThatExchangesHasRoomForNccl) {
  const Workload work = imagenet();
  const RankMemory memory = memory_of(work, gpus(2), {1, 2}, config::Features::exchange, {0, 3}, true);
  EXPECT_EQ(memory.gpu.process, (1 << 30) + (512 << 20));
  EXPECT_EQ(memory.gpu.exchange, memory.host.exchange);
}

TEST(Memory, OfTheThreadsThatReadIsCounted) {
  Workload work = imagenet();
  const MemoryUse without = alone(work, cpus(1)).host;
  work.worker_bytes = kMega;
  work.unusual_bytes = 2 * kMega;
  work.large_sample_bytes = kGiga;
  const MemoryUse host = alone(work, cpus(1)).host;
  EXPECT_EQ(host.loader - without.loader, 8 * kMega);
  EXPECT_EQ(host.total() - without.total(), 8 * kMega);
  EXPECT_EQ(host.large_samples, kGiga + 8 * 2 * kMega);
}

TEST(Memory, OfAShortJobIsSmaller) {
  Workload work = imagenet();
  work.samples = 32;
  EXPECT_EQ(alone(work, cpus(1)).host.loader, 2 * 32 * work.image_values * 4);
}

/// Rank 0 reads all heads, its own are a part of them.
TEST(Memory, Rank0HoldsAllHeadsAtTheStart) {
  Workload work = imagenet();
  work.heads.assign(64, {256 * kMega, kGiga, 3, 4096});
  const Grid grid{1, 64};
  const RankMemory first = memory_of(work, cpus(64), grid, kExchange, {0, 1}, true);
  const RankMemory second = memory_of(work, cpus(64), grid, kExchange, {1, 1}, false);
  EXPECT_GT(first.host.total(), 65 * kGiga);
  EXPECT_LT(second.host.total(), 4 * kGiga);
  EXPECT_EQ(memory_of(work, gpus(64), grid, kExchange, {0, 1}, true).gpu.heads, kGiga);
}

TEST(Memory, LocalFeaturesNeedMoreImages) {
  const Workload work = imagenet();
  const Grid grid{1, 4};
  const auto exchanged = memory_of(work, cpus(4), grid, kExchange, {0, 2}, false).host;
  const auto local = memory_of(work, cpus(4), grid, config::Features::local, {0, 2}, false).host;
  EXPECT_EQ(local.loader - exchanged.loader, 3 * 32 * work.image_values * 4);
}

TEST(Memory, HeadScoresAreExchangedToo) {
  const Workload work = imagenet();
  const auto without = alone(work, cpus(1)).host.exchange;
  // In three steps under way, and in two copies of the rows.
  EXPECT_EQ(alone(with_head_scores(work), cpus(1)).host.exchange - without, (3 + 2) * 32LL * 5 * 1000 * 4);
}

/// A rank sends what its own heads say, for each of the group's micro-batches, and gets all of one.
TEST(Memory, ScoresOfManyHeadsDoNotMultiplyByTheGroup) {
  Workload work = imagenet(10);
  work.heads.assign(10'000, mlp(512, 0, 10));
  work = with_head_scores(work);
  const std::int64_t all = 32LL * 10'000 * 10 * 4;
  const MemoryUse four = memory_of(work, cpus(4), {1, 4}, kExchange, {0, 2500}, false).host;
  EXPECT_GT(four.exchange, (3 * 2 + 2) * all);
  EXPECT_LT(four.exchange, (3 * 2 + 2) * all * 5 / 4);  // predictions, and the logits of its own
}

TEST(Limits, AreShared) {
  const Topology topology = gpus(64);
  EXPECT_EQ(limits_of(topology).host,
            static_cast<std::int64_t>(0.9 * static_cast<double>(topology.host_memory)) / 8);
  EXPECT_LT(limits_of(topology).gpu, std::int64_t{16} << 30U);
  EXPECT_EQ(limits_of(cpus(64)).gpu, 0);
  EXPECT_GT(limits_of(gpus(2)).host, limits_of(gpus(8)).host);  // two ranks have a node for themselves
}

class LargestBatch : public ::testing::TestWithParam<int> {};

/// One image more does not fit.
TEST_P(LargestBatch, IsExact) {
  Workload work = imagenet();
  work.heads.assign(16, mlp(512, 4096, 1000));
  for (const std::uint64_t memory : {std::uint64_t{2} << 30U, std::uint64_t{5} << 30U}) {
    const Topology topology = gpus(16, memory);
    const Grid grid{16 / GetParam(), GetParam()};
    const std::int64_t most = largest_batch(work, topology, grid, kExchange);
    ASSERT_GT(most, 0);
    ASSERT_LT(most, 4096);
    const auto good = [&](std::int64_t batch) {
      work.batch = batch;
      const HeadRange range{0, 16 / GetParam()};
      return fits(memory_of(work, topology, grid, kExchange, range, true), limits_of(topology));
    };
    EXPECT_TRUE(good(most));
    EXPECT_FALSE(good(most + 1));
  }
}
INSTANTIATE_TEST_SUITE_P(Groups, LargestBatch, ::testing::Values(1, 2, 4, 16));

TEST(LargestBatchOfAll, IsNoneWhenTheWeightsDoNotFit) {
  Workload work = imagenet();
  work.heads.assign(20, {256 * kMega, kGiga, 3, 4096});
  EXPECT_EQ(largest_batch(work, gpus(1), {1, 1}, kExchange), 0);
  EXPECT_GT(largest_batch(work, gpus(2), {1, 2}, kExchange), 0);
}

}  // namespace
}  // namespace polyhead::plan
