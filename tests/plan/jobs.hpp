#pragma once

#include <cstdint>

#include "polyhead/plan/topology.hpp"
#include "polyhead/plan/workload.hpp"

/// Jobs and machines in round figures, for tests of the planner.
namespace polyhead::plan::testing {

constexpr std::int64_t kMega = 1'000'000;
constexpr std::int64_t kGiga = 1'000'000'000;

/// A head with one hidden layer.
inline HeadCost mlp(std::int64_t features, std::int64_t hidden, std::int64_t classes) {
  const std::int64_t weights = (features + classes) * hidden;
  return {weights + 1, 4 * (weights + hidden + classes), 3, 4 * (features + hidden)};
}

/// The same job with the scores of every head kept.
inline Workload with_head_scores(Workload work) {
  work.head_scores = true;
  work.head_values = 1 + work.classes;
  work.row_bytes += static_cast<std::int64_t>(work.heads.size()) * work.classes * 4;
  return work;
}

/// ResNet-18 at 224 x 224 on ImageNet's validation images: 5 small heads.
inline Workload imagenet(std::int64_t classes = 1000) {
  Workload work;
  work.samples = 50'000;
  work.batch = 32;
  work.image_values = 3LL * 224 * 224;
  work.classes = classes;
  work.backbone = {3'630 * kMega, 45 * kMega, 512, 6 * kMega, 6 * kMega, 20 * kMega, 0, 175 * kMega};
  work.heads.assign(5, mlp(512, 256, classes));
  work.sum_width = classes + 2;
  work.row_bytes = (classes + 1 + 5) * 4 + 2;
  work.read_ahead = 64 << 20;
  return work;
}

/// Ranks with GPUs, 8 a node.
inline Topology gpus(int ranks, std::uint64_t memory = std::uint64_t{16} << 30U) {
  Topology topology;
  topology.ranks = ranks;
  topology.ranks_per_node = 8;
  topology.processor = {true, 7e12, 4e12, 400e9, 10e-6, 6e-9, memory};
  topology.reading = {16, 450, 16, false};
  topology.keeping = {500e6, 30e-6};
  topology.process = {std::uint64_t{3} << 30U, std::uint64_t{1} << 30U};
  topology.host_memory = std::uint64_t{512} << 30U;
  topology.inside = {10e9, 50e-6};
  topology.between = {12e9, 200e-6};
  topology.startup_seconds = 5;
  topology.equip_seconds = 5;
  return topology;
}

/// Ranks with 8 cores each, 8 a node.
inline Topology cpus(int ranks) {
  Topology topology = gpus(ranks, 0);
  topology.processor = {false, 360e9, 240e9, 40e9, 8e-6, 6e-9, 0};
  topology.reading = {8, 450, 8, true};
  topology.process = {std::uint64_t{200} << 20U, 0};
  return topology;
}

}  // namespace polyhead::plan::testing
