#include "polyhead/run/group_pipeline.hpp"

#include <algorithm>

#include "polyhead/run/pipeline.hpp"

namespace polyhead::run {
namespace {

constexpr std::int64_t kOverlap = 1;  // steps that an exchange may lie behind

std::size_t index(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

}  // namespace

GroupPipeline::GroupPipeline(model::Model& model, comm::Collectives& group, const Job& job)
    : model_(model),
      group_(group),
      block_(job.config, job.classes, job.batches.size()),
      batches_(job.batches),
      heads_(job.heads),
      local_features_(job.config.parallel.features == config::Features::local || group.size() == 1),
      feature_values_(index(job.batches.size() * job.feature_width)),
      logits_(index(job.heads.count * job.batches.size() * job.classes), job.memory),
      slots_{Slot(job.memory), Slot(job.memory), Slot(job.memory)} {
  const auto ranks = index(group.size());
  for (Slot& slot : slots_) {
    if (!local_features_) slot.features.resize(feature_values_);
    slot.all_features.resize(ranks * feature_values_);
    slot.blocks.resize(ranks * words());
    if (!alone()) slot.block.resize(words());
  }
}

void GroupPipeline::step(const plan::Step& step, std::span<const data::Batch> read, const Deliver& deliver) {
  begin(slot(begun_++), step, read);
  advance(alone() ? 0 : kOverlap, deliver);
}

void GroupPipeline::drain(const Deliver& deliver) {
  advance(0, deliver);
}

void GroupPipeline::ask_to_stop() {
  asked_to_stop_ = true;
  if (alone()) stopped_ = true;
}

/// Fuses and finishes all but the newest `lag` steps of each kind. Every rank of the group starts its
/// exchanges in the same order.
void GroupPipeline::advance(std::int64_t lag, const Deliver& deliver) {
  while (fused_ < begun_ - lag) fuse(slot(fused_++));
  while (finished_ < fused_ - lag) finish(slot(finished_++), deliver);
}

std::span<float> GroupPipeline::features_of(Slot& slot, std::int64_t index) const {
  return std::span(slot.all_features)
      .subspan(static_cast<std::size_t>(index) * feature_values_, feature_values_);
}

std::span<std::int64_t> GroupPipeline::block_of(Slot& slot, std::int64_t index) const {
  return std::span(slot.blocks).subspan(static_cast<std::size_t>(index) * words(), words());
}

void GroupPipeline::begin(Slot& slot, const plan::Step& step, std::span<const data::Batch> read) {
  slot.step = step;
  slot.own.reset();
  const std::int64_t mine = step.first + group_.rank();
  for (std::size_t i = 0; i < read.size(); ++i) {
    const data::Batch& batch = read[i];
    compute_features(
        model_, batch,
        local_features_ ? features_of(slot, batch.index - step.first) : std::span(slot.features));
    if (batch.index == mine) slot.own = {batch.index, batch.samples, batch.reasons};
  }
  if (local_features_) return;
  slot.gather = group_.start_all_gather(std::as_bytes(std::span(slot.features)),
                                        std::as_writable_bytes(std::span(slot.all_features)));
}

void GroupPipeline::fuse(Slot& slot) {
  if (slot.gather) slot.gather->wait();
  std::ranges::fill(slot.blocks, 0);
  for (std::int64_t i = 0; i < slot.step.count && heads_.count > 0; ++i) {
    model_.scores(features_of(slot, i), logits_);
    block_.add(logits_, heads_, batches_.samples_of(slot.step.first + i).count,
               block_of(slot, i).first(block_.words()));
  }
  if (alone()) return;
  for (int i = 0; i < group_.size() && asked_to_stop_; ++i) block_of(slot, i).back() = 1;
  slot.reduce = group_.start_reduce_scatter(slot.blocks, slot.block);
}

void GroupPipeline::finish(Slot& slot, const Deliver& deliver) {
  if (slot.reduce) slot.reduce->wait();
  if (!alone() && slot.block.back() > 0) stopped_ = true;
  const std::span<const std::int64_t> block(alone() ? slot.blocks : slot.block);
  if (slot.own) deliver(block_.rows(block.first(block_.words()), *slot.own));
}

}  // namespace polyhead::run
