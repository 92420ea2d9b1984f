#include "polyhead/plan/cost.hpp"

#include <gtest/gtest.h>

#include "jobs.hpp"

namespace polyhead::plan {
namespace {

using namespace testing;
constexpr auto kExchange = config::Features::exchange;
constexpr auto kLocal = config::Features::local;

std::vector<HeadRange> halves() {
  return {{0, 3}, {3, 2}};
}

TEST(StepTime, OfARankAlone) {
  const Workload work = imagenet();
  const StepTime step = step_time(work, cpus(1), {1, 1}, kExchange, {{0, 5}});
  EXPECT_DOUBLE_EQ(step.backbone, 32 * 3.63e9 / 360e9);
  EXPECT_DOUBLE_EQ(step.reading, 32 / (450.0 * 8));
  EXPECT_DOUBLE_EQ(step.fusing, 5 * 32 * 1000 * 6e-9);
  EXPECT_EQ(step.exchange, 0);
  EXPECT_DOUBLE_EQ(step.total, step.backbone + step.reading + step.heads + step.fusing);  // of the same cores
}

TEST(StepTime, OnAGpuReadingGoesOnBesideComputing) {
  Workload work = imagenet();
  Topology topology = gpus(1);
  const StepTime fast = step_time(work, topology, {1, 1}, kExchange, {{0, 5}});
  EXPECT_DOUBLE_EQ(fast.total, fast.backbone + fast.heads + fast.fusing);
  topology.reading.workers = 1;
  EXPECT_DOUBLE_EQ(step_time(work, topology, {1, 1}, kExchange, {{0, 5}}).total, 32 / 450.0);
}

TEST(StepTime, ContentionIsMeasuredOnTop) {
  Topology topology = cpus(1);
  const double before = step_time(imagenet(), topology, {1, 1}, kExchange, {{0, 5}}).total;
  topology.contention = 1.25;
  EXPECT_DOUBLE_EQ(step_time(imagenet(), topology, {1, 1}, kExchange, {{0, 5}}).total, 1.25 * before);
}

TEST(StepTime, OfAGroupIsThatOfItsSlowestMemberForAllMicroBatches) {
  const Workload work = imagenet();
  const Topology topology = cpus(2);
  const StepTime step = step_time(work, topology, {1, 2}, kExchange, halves());
  EXPECT_DOUBLE_EQ(step.heads, 2 * head_seconds(work, topology.processor, {0, 3}));
  EXPECT_DOUBLE_EQ(step.backbone, 32 * 3.63e9 / 360e9);  // of its own micro-batch
  const double features = 32 * 512 * 4;
  const double sums = 8 * 32 * 1002;
  const double head_outputs = 32 * 5 * 4 / 2.0;  // half of the heads are the rank's own
  EXPECT_DOUBLE_EQ(step.exchange, (features + sums + head_outputs) / 10e9 + 3 * 50e-6);
}

TEST(StepTime, LocalFeaturesCostABackboneForEveryMicroBatch) {
  const Workload work = imagenet();
  const StepTime exchanged = step_time(work, cpus(2), {1, 2}, kExchange, halves());
  const StepTime local = step_time(work, cpus(2), {1, 2}, kLocal, halves());
  EXPECT_DOUBLE_EQ(local.backbone, 2 * exchanged.backbone);
  EXPECT_DOUBLE_EQ(local.reading, 2 * exchanged.reading);
  EXPECT_LT(local.exchange, exchanged.exchange);
}

TEST(StepTime, ASlowExchangeShows) {
  Topology topology = cpus(2);
  topology.inside = {1e5, 0};
  const StepTime step = step_time(imagenet(), topology, {1, 2}, kExchange, halves());
  EXPECT_DOUBLE_EQ(step.total, step.exchange);
}

TEST(StepTime, GroupsOverSeveralNodesUseTheNetwork) {
  Topology topology = cpus(16);
  topology.between = {1e6, 1e-3};
  const std::vector<HeadRange> eight(8, {0, 1});
  const std::vector<HeadRange> sixteen(16, {0, 1});
  EXPECT_LT(step_time(imagenet(), topology, {2, 8}, kExchange, eight).exchange, 0.01);
  EXPECT_GT(step_time(imagenet(), topology, {1, 16}, kExchange, sixteen).exchange, 1);
}

TEST(HeadSeconds, OfSmallHeadsAreThoseOfStartingTheirLayers) {
  Workload work = imagenet();
  work.heads.assign(10'000, {5'121, 20'520, 1, 2'088});
  const Processor processor = gpus(1).processor;
  EXPECT_NEAR(head_seconds(work, processor, {0, 10'000}), 0.1, 0.02);
  EXPECT_NEAR(head_seconds(work, processor, {0, 100}), 0.001, 0.0002);
}

TEST(Estimate, CountsWholeSteps) {
  Workload work = imagenet();
  const auto steps = [&](Grid grid) {
    return estimate(work, cpus(8), grid, kExchange,
                    std::vector<HeadRange>(static_cast<std::size_t>(grid.heads)))
        .steps;
  };
  EXPECT_EQ(steps({8, 1}), 196);  // ceil(1563 / 8)
  EXPECT_EQ(steps({4, 2}), 196);  // ceil(782 / 4)
  EXPECT_EQ(steps({1, 8}), 196);
  EXPECT_EQ(steps({1, 1}), 1563);
  work.samples = 1;
  EXPECT_EQ(steps({8, 1}), 1);
}

TEST(Estimate, SettingUpIsStartingAndMakingTheModelAndTwoTransfersOfWeights) {
  Topology topology = cpus(4);
  topology.startup_seconds = 3;
  topology.equip_seconds = 2;
  const Workload work = imagenet();
  const auto bytes = static_cast<double>(work.backbone.bytes + 5 * work.heads.front().bytes);
  const auto setting_up = [&] {
    return estimate(work, topology, {topology.ranks, 1}, kExchange, {{0, 5}}).setting_up;
  };
  EXPECT_DOUBLE_EQ(setting_up(), 5 + 2 * bytes / 10e9 + 2 * 50e-6);
  topology.ranks = 1;
  EXPECT_DOUBLE_EQ(setting_up(), 5);
}

TEST(Estimate, IdleRanksCostEfficiency) {
  const Workload work = imagenet();
  const double all = estimate(work, cpus(8), {8, 1}, kExchange, {{0, 5}}).efficiency;
  const double half = estimate(work, cpus(8), {4, 1}, kExchange, {{0, 5}}).efficiency;
  EXPECT_NEAR(half, all / 2, 0.01);
}

TEST(Estimate, KnowsWhatLimits) {
  const Workload work = imagenet();
  const auto limit = [&](const Topology& topology, const Workload& job) {
    return estimate(job, topology, {1, 1}, kExchange, {{0, static_cast<std::int64_t>(job.heads.size())}})
        .bottleneck;
  };
  EXPECT_EQ(limit(gpus(1), work), Bottleneck::backbone);
  Topology slow = gpus(1);
  slow.reading.images_per_second = 10;
  EXPECT_EQ(limit(slow, work), Bottleneck::reading);
  Topology busy = gpus(1);
  busy.keeping.seconds_per_micro_batch = 1;
  EXPECT_EQ(limit(busy, work), Bottleneck::rank0);
  Workload heavy = work;
  heavy.heads.assign(64, {400 * kMega, 1'600 * kMega, 3, 40'000});
  EXPECT_EQ(limit(gpus(1), heavy), Bottleneck::heads);
}

}  // namespace
}  // namespace polyhead::plan
