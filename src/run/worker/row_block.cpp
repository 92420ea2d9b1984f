#include "row_block.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "run/setup/measures.hpp"

namespace polyhead::run {
namespace {

constexpr std::size_t kValue = 4;  // bytes per prediction or score

std::size_t as_size(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

/// Replaces scores and predictions of a quarantined sample; its status and reason stay.
void blank(std::span<float> scores) {
  std::ranges::fill(scores, std::numeric_limits<float>::quiet_NaN());
}
void blank(std::span<std::int32_t> predictions) {
  std::ranges::fill(predictions, -1);
}
void blank(std::span<std::uint8_t> /*bytes*/) {}

}  // namespace

RowBlock::RowBlock(const config::Config& config, std::int64_t classes, std::int64_t batch,
                   std::vector<plan::HeadRange> members)
    : fuser_(fusion::make_fuser(config, classes)),
      batch_(batch),
      heads_(static_cast<std::int64_t>(config.heads.size())),
      classes_(classes),
      head_scores_(config.output.head_scores),
      width_(fusion::exchange_width(config, classes)),
      uncertainty_(config.output.uncertainty),
      members_(std::move(members)) {
  for (const plan::HeadRange& heads : members_) {
    sizes_.push_back(as_size(batch_ * heads.count * width_.values) * kValue);
  }
}

std::size_t RowBlock::words() const {
  return as_size(batch_ * fuser_.columns());
}

std::size_t RowBlock::all_bytes() const {
  return std::accumulate(sizes_.begin(), sizes_.end(), std::size_t{0});
}

void RowBlock::add(std::span<const float> logits, std::size_t member, std::int64_t samples,
                   std::span<std::int64_t> sums, std::span<std::byte> head_outputs) const {
  const plan::HeadRange& heads = members_[member];
  if (heads.count == 0) return;
  fuser_.accumulate(logits, heads.first, batch_, sums.first(as_size(samples * fuser_.columns())));
  const auto predictions = fusion::head_predictions(logits, heads.count, batch_, samples);
  std::ranges::copy(std::as_bytes(std::span(predictions)), head_outputs.begin());
  if (!width_.scores) return;
  std::ranges::copy(std::as_bytes(logits.first(as_size(heads.count * batch_ * classes_))),
                    head_outputs.subspan(as_size(batch_ * heads.count) * kValue).begin());
}

/// Copies [m, R] and [R, m, C] to their places in [m, K] and [m, K, C].
void RowBlock::take_outputs(std::span<const std::byte> head_outputs, plan::HeadRange heads,
                            store::Rows& rows) const {
  const std::span<const std::byte> scores = head_outputs.subspan(as_size(batch_ * heads.count) * kValue);
  for (std::int64_t n = 0; n < rows.count; ++n) {
    std::memcpy(rows.head_prediction.data() + n * heads_ + heads.first,
                head_outputs.data() + as_size(n * heads.count) * kValue, as_size(heads.count) * kValue);
    for (std::int64_t k = 0; width_.scores && k < heads.count; ++k) {
      std::memcpy(rows.head_scores.data() + (n * heads_ + heads.first + k) * classes_,
                  scores.data() + as_size((k * batch_ + n) * classes_) * kValue, as_size(classes_) * kValue);
    }
  }
}

store::Rows RowBlock::rows(std::span<const std::int64_t> sums, std::span<const std::byte> head_outputs,
                           const MicroBatch& batch) const {
  store::Rows rows;
  rows.batch = batch.index;
  rows.count = batch.samples;
  rows.head_prediction.resize(as_size(batch.samples * heads_));
  if (width_.scores) rows.head_scores.resize(as_size(batch.samples * heads_ * classes_));
  for (std::size_t member = 0; member < members_.size(); ++member) {
    take_outputs(head_outputs.first(sizes_[member]), members_[member], rows);
    head_outputs = head_outputs.subspan(sizes_[member]);
  }
  fuse(sums, batch, rows);
  return rows;
}

void RowBlock::fuse(std::span<const std::int64_t> sums, const MicroBatch& batch, store::Rows& rows) const {
  fusion::Fused fused =
      fuser_.finish(sums.first(as_size(batch.samples * fuser_.columns())), batch.samples, rows.head_scores);
  if (!head_scores_) rows.head_scores = {};  // only the rule needed them
  for (std::size_t n = 0; n < batch.reasons.size(); ++n) {
    if (batch.reasons[n] != Reason::none) fused.quarantine(n, batch.reasons[n]);
  }
  rows.fused_scores = std::move(fused.scores);
  rows.fused_prediction = std::move(fused.prediction);
  measure(rows);
  for (const Reason reason : fused.reasons) {
    const bool good = reason == Reason::none;
    rows.status.push_back(static_cast<std::uint8_t>(good ? SampleStatus::done : SampleStatus::quarantined));
    rows.reason.push_back(static_cast<std::uint8_t>(reason));
  }
  for (std::size_t n = 0; n < fused.reasons.size(); ++n) {
    if (fused.reasons[n] != Reason::none) blank_sample(rows, n);
  }
}

void RowBlock::measure(store::Rows& rows) const {
  for (const Measure& measure : kMeasures) {
    if (std::ranges::count(uncertainty_, measure.value) == 0) continue;
    for (std::int64_t n = 0; n < rows.count; ++n) {
      const std::span<const float> scores = std::span(rows.fused_scores).subspan(as_size(n * classes_));
      (rows.*measure.column).push_back(measure.of(scores.first(as_size(classes_))));
    }
  }
}

/// Blanks a quarantined sample, which has no answer from any head.
void RowBlock::blank_sample(store::Rows& rows, std::size_t sample) {
  store::for_each_column(rows, [&](const store::RowColumn&, auto& values) {
    const std::size_t width = values.size() / as_size(rows.count);
    blank(std::span(values).subspan(sample * width, width));
  });
}

}  // namespace polyhead::run
