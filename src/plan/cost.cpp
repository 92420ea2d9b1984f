#include "polyhead/plan/cost.hpp"

#include <algorithm>
#include <cmath>

#include "group.hpp"

namespace polyhead::plan {
namespace {

constexpr double kFloat = 4;
constexpr double kDrain = 2;  // exchanges at the end that no computation hides

double real(std::int64_t value) {
  return static_cast<double>(value);
}

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// Link between a group's ranks, by whether all are on one node.
const Link& link_of(const Topology& topology, const Grid& grid) {
  const bool whole = topology.ranks <= topology.ranks_per_node || topology.ranks_per_node % grid.heads == 0;
  return whole ? topology.inside : topology.between;
}

double transfer(double bytes, double messages, const Link& link) {
  return bytes / link.bytes_per_second + messages * link.latency;
}

double reading_seconds(double images, const Reading& reading) {
  return images / (reading.images_per_second * reading.threads());
}

double fusing_seconds(const Workload& workload, const Processor& processor, std::int64_t heads) {
  return real(heads * workload.batch * workload.classes) * processor.score_seconds;
}

/// Each rank receives the data of all others: features first, then sums and outputs of the heads.
double exchange_seconds(const Workload& workload, const Topology& topology, const Grid& grid, bool local) {
  if (grid.heads == 1) return 0;
  const double others = grid.heads - 1;
  const double features = local ? 0 : real(workload.batch * workload.backbone.feature_width) * kFloat;
  const double head_outputs = real(head_output_bytes(workload, all_heads(workload).count)) / grid.heads;
  const double messages = others * (local ? 2 : 3);
  return transfer(others * (features + real(sum_bytes(workload)) + head_outputs), messages,
                  link_of(topology, grid));
}

/// Seconds in which rank 0 takes in one micro-batch.
double keeping_seconds(const Workload& workload, const Topology& topology) {
  const Link& link = topology.nodes() > 1 ? topology.between : topology.inside;
  const double slower = std::min(link.bytes_per_second, topology.keeping.bytes_per_second);
  return topology.keeping.seconds_per_micro_batch + real(workload.batch * workload.row_bytes) / slower;
}

double computing(const StepTime& step) {
  return step.backbone + step.heads + step.fusing;
}

/// Seconds of set-up during which the first images are already read.
double equip_seconds(const Workload& workload, const Topology& topology) {
  if (topology.ranks == 1) return topology.equip_seconds;
  std::int64_t bytes = workload.backbone.bytes;
  for (const HeadCost& head : workload.heads) bytes += head.bytes;
  // A broadcast in pieces takes the time of two transfers, however many ranks there are.
  const Link& link = topology.nodes() > 1 ? topology.between : topology.inside;
  return topology.equip_seconds + transfer(2 * real(bytes), std::log2(topology.ranks), link);
}

/// Seconds that a GPU waits for the first images: the reading that is left when it is ready. Cores that read
/// and compute lose nothing.
double fill_seconds(const Workload& workload, const Topology& topology, const StepTime& step,
                    double equipping) {
  if (topology.reading.shares_cores) return 0;
  const double hidden = workload.cached ? 0 : equipping;
  return std::max(0.0, std::min(step.reading, computing(step)) - hidden);
}

Bottleneck bottleneck_of(const StepTime& step, bool shares_cores, bool rank0) {
  if (rank0) return Bottleneck::rank0;
  const double compute = computing(step) + (shares_cores ? step.reading : 0);
  if (step.exchange > std::max(compute, step.reading)) return Bottleneck::exchange;
  const double heads = step.heads + step.fusing;
  if (!shares_cores && step.reading > compute) return Bottleneck::reading;
  if (shares_cores && step.reading > std::max(step.backbone, heads)) return Bottleneck::reading;
  return heads > step.backbone ? Bottleneck::heads : Bottleneck::backbone;
}

}  // namespace

std::string_view name(Bottleneck bottleneck) {
  switch (bottleneck) {
    case Bottleneck::reading:
      return "reading and decoding images";
    case Bottleneck::backbone:
      return "the backbone";
    case Bottleneck::heads:
      return "the heads";
    case Bottleneck::exchange:
      return "the exchange between ranks";
    case Bottleneck::rank0:
      return "what rank 0 can take in";
  }
  return "?";
}

double head_seconds(const Workload& workload, const Processor& processor, HeadRange range) {
  double seconds = 0;
  for (const HeadCost& head : heads_of(workload, range)) {
    seconds += std::max(2 * real(workload.batch * head.multiplications) / processor.head_flops,
                        real(head.bytes) / processor.weights_per_second) +
               real(head.steps) * processor.step_seconds;
  }
  return seconds;
}

StepTime step_time(const Workload& workload, const Topology& topology, const Grid& grid,
                   config::Features features, const std::vector<HeadRange>& heads) {
  const Processor& processor = topology.processor;
  const bool local = features == config::Features::local && grid.heads > 1;
  const double micro_batches = real(std::min<std::int64_t>(grid.heads, workload.micro_batches()));
  const double images = real(workload.batch) * (local ? micro_batches : 1);

  StepTime step;
  step.reading = reading_seconds(images, topology.reading);
  step.backbone = images * real(workload.backbone.flops) / processor.flops;
  for (const HeadRange& range : heads) {
    const double own = head_seconds(workload, processor, range);
    const double fusing = fusing_seconds(workload, processor, range.count);
    if (own + fusing <= (step.heads + step.fusing) / micro_batches) continue;
    step.heads = micro_batches * own;
    step.fusing = micro_batches * fusing;
  }
  step.exchange = exchange_seconds(workload, topology, grid, local);
  const bool shares = topology.reading.shares_cores;
  const double busy = shares ? computing(step) + step.reading : std::max(computing(step), step.reading);
  step.total = std::max(busy * topology.contention, step.exchange);
  return step;
}

Estimate estimate(const Workload& workload, const Topology& topology, const Grid& grid,
                  config::Features features, const std::vector<HeadRange>& heads) {
  Estimate result;
  result.step = step_time(workload, topology, grid, features, heads);
  const std::int64_t batches = workload.micro_batches();
  result.steps = ceil_div(ceil_div(batches, grid.heads), grid.data);
  const double equipping = equip_seconds(workload, topology);
  const double fill = fill_seconds(workload, topology, result.step, equipping);
  const double computed = real(result.steps) * result.step.total + fill + kDrain * result.step.exchange;
  const double kept = real(batches) * keeping_seconds(workload, topology);
  result.working = std::max(computed, kept);
  result.setting_up = topology.startup_seconds + equipping;
  const StepTime alone = step_time(workload, topology, {1, 1}, features, {all_heads(workload)});
  const double ideal = real(workload.samples) / real(workload.batch) * alone.total / topology.ranks;
  result.efficiency = result.working > 0 ? ideal / result.working : 1;
  result.bottleneck = bottleneck_of(result.step, topology.reading.shares_cores, kept > computed);
  return result;
}

}  // namespace polyhead::plan
