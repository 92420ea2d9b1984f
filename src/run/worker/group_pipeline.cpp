#include "group_pipeline.hpp"

#include <algorithm>

#include "pipeline.hpp"
#include "polyhead/base/trace.hpp"

namespace polyhead::run {
namespace {

constexpr std::int64_t kOverlap = 1;  // steps by which an exchange may lag

std::size_t index(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

}  // namespace

GroupPipeline::GroupPipeline(model::Model& model, comm::Collectives& group, const Job& job)
    : model_(model),
      group_(group),
      block_(job.config, job.classes, job.batches.size(), job.heads),
      batches_(job.batches),
      member_(index(group.rank())),
      heads_(job.heads.at(member_)),
      alone_(group.size() == 1 && !job.exchanges_alone),
      local_features_(job.config.parallel.features == config::Features::local || alone_),
      feature_values_(index(job.batches.size() * job.feature_width)),
      logits_(index(heads_.count * job.batches.size() * job.classes), job.memory),
      slots_{Slot(job.memory), Slot(job.memory), Slot(job.memory)} {
  const auto ranks = index(group.size());
  for (Slot& slot : slots_) {
    if (!local_features_) slot.features.resize(feature_values_);
    slot.all_features.resize(ranks * feature_values_);
    slot.sums.resize(words());
    slot.head_outputs.resize(block_.all_bytes());
    if (alone()) continue;
    slot.own_sums.resize(ranks * words());
    slot.own_head_outputs.resize(ranks * block_.bytes(member_));
  }
}

void GroupPipeline::try_exchange() {
  if (alone()) return;
  const auto both = std::span(slots_).first(2);  // slots that travel at once
  for (Slot& slot : both) {
    start_gather(slot);
    start_sums(slot);
  }
  for (Slot& slot : both) {
    for (comm::Pending* sent : {slot.gather.get(), slot.reduce.get(), slot.send.get()}) {
      if (sent != nullptr) sent->wait();
    }
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
/// exchanges in one order.
void GroupPipeline::advance(std::int64_t lag, const Deliver& deliver) {
  while (fused_ < begun_ - lag) fuse(slot(fused_++));
  while (finished_ < fused_ - lag) finish(slot(finished_++), deliver);
}

std::span<float> GroupPipeline::features_of(Slot& slot, std::int64_t index) const {
  return std::span(slot.all_features)
      .subspan(static_cast<std::size_t>(index) * feature_values_, feature_values_);
}

void GroupPipeline::begin(Slot& slot, const plan::Step& step, std::span<const data::Batch> read) {
  slot.step = step;
  slot.own.reset();
  const std::int64_t mine = step.first + group_.rank();
  for (const data::Batch& batch : read) {
    const std::span<float> features =
        local_features_ ? features_of(slot, batch.index - step.first) : std::span(slot.features);
    {
      const trace::Span span(batch.features.empty() ? "backbone" : "cached features");
      compute_features(model_, batch, features);
    }
    if (batch.index != mine) continue;
    slot.own = {batch.index, batch.samples, batch.reasons};
    if (keep_ && batch.features.empty()) keep_(batch, features);
  }
  start_gather(slot);
}

void GroupPipeline::start_gather(Slot& slot) {
  if (local_features_) return;
  slot.gather = group_.start_all_gather(std::as_bytes(std::span(slot.features)),
                                        std::as_writable_bytes(std::span(slot.all_features)));
}

void GroupPipeline::fuse(Slot& slot) {
  if (slot.gather) slot.gather->wait();
  const trace::Span span("heads");
  const std::span<std::int64_t> sums(alone() ? slot.sums : slot.own_sums);
  const std::span<std::byte> head_outputs(alone() ? slot.head_outputs : slot.own_head_outputs);
  std::ranges::fill(sums, 0);
  for (std::int64_t i = 0; i < slot.step.count && heads_.count > 0; ++i) {
    model_.scores(features_of(slot, i), logits_);
    block_.add(logits_, member_, batches_.samples_of(slot.step.first + i).count,
               sums.subspan(index(i) * words(), block_.words()),
               head_outputs.subspan(index(i) * block_.bytes(member_), block_.bytes(member_)));
  }
  if (alone()) return;
  for (std::size_t i = 1; i <= index(group_.size()) && asked_to_stop_; ++i) sums[i * words() - 1] = 1;
  start_sums(slot);
}

void GroupPipeline::start_sums(Slot& slot) {
  slot.reduce = group_.start_reduce_scatter(slot.own_sums, slot.sums);
  slot.send = group_.start_all_to_all(slot.own_head_outputs, slot.head_outputs, block_.sizes());
}

void GroupPipeline::finish(Slot& slot, const Deliver& deliver) {
  if (slot.reduce) slot.reduce->wait();
  if (slot.send) slot.send->wait();
  if (!alone() && slot.sums.back() > 0) stopped_ = true;
  const trace::Span span("rows");
  if (slot.own)
    deliver(block_.rows(std::span(slot.sums).first(block_.words()), slot.head_outputs, *slot.own));
}

}  // namespace polyhead::run
