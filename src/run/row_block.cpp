#include "polyhead/run/row_block.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace polyhead::run {
namespace {

constexpr std::size_t kHalf = 4;  // bytes of a prediction or score

std::size_t index(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

std::vector<double> weights_of(const std::vector<config::Head>& heads) {
  std::vector<double> weights;
  weights.reserve(heads.size());
  for (const config::Head& head : heads) weights.push_back(head.weight);
  return weights;
}

template <class T>
std::vector<T> copy_out(std::span<const std::byte> bytes, std::int64_t count) {
  std::vector<T> values(index(count));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

}  // namespace

RowBlock::RowBlock(const config::Config& config, std::int64_t classes, std::int64_t batch)
    : fuser_(config.fusion.rule, weights_of(config.heads), classes),
      batch_(batch),
      heads_(static_cast<std::int64_t>(config.heads.size())),
      classes_(classes),
      head_scores_(config.output.head_scores),
      predictions_(index(batch * fuser_.columns())),
      scores_(predictions_ + words_of(1)) {}

/// For `values` 4-byte values a head and sample.
std::size_t RowBlock::words_of(std::int64_t values) const {
  return index((batch_ * heads_ * values + 1) / 2);
}

void RowBlock::add(std::span<const float> logits, plan::HeadRange range, std::int64_t samples,
                   std::span<std::int64_t> block) const {
  if (range.count == 0) return;
  fuser_.accumulate(logits, range.first, batch_, block.first(index(samples * fuser_.columns())));
  const std::span<std::byte> bytes = std::as_writable_bytes(block);
  const auto predictions = fusion::head_predictions(logits, range.count, batch_, samples);
  for (std::int64_t n = 0; n < samples; ++n) {
    std::memcpy(bytes.data() + predictions_ * sizeof(std::int64_t) + index(n * heads_ + range.first) * kHalf,
                predictions.data() + n * range.count, index(range.count) * kHalf);
  }
  if (head_scores_) keep_scores(logits, range, samples, bytes.subspan(scores_ * sizeof(std::int64_t)));
}

/// [range.count, m, C] to its place in [m, K, C].
void RowBlock::keep_scores(std::span<const float> logits, plan::HeadRange range, std::int64_t samples,
                           std::span<std::byte> scores) const {
  for (std::int64_t k = 0; k < range.count; ++k) {
    for (std::int64_t n = 0; n < samples; ++n) {
      std::memcpy(scores.data() + index((n * heads_ + range.first + k) * classes_) * kHalf,
                  logits.data() + (k * batch_ + n) * classes_, index(classes_) * kHalf);
    }
  }
}

store::Rows RowBlock::rows(std::span<const std::int64_t> block, const MicroBatch& batch) const {
  fusion::Fused fused = fuser_.finish(block.first(index(batch.samples * fuser_.columns())));
  for (std::size_t n = 0; n < batch.reasons.size(); ++n) {
    if (batch.reasons[n] != Reason::none) fused.quarantine(n, batch.reasons[n]);
  }
  const std::span<const std::byte> bytes = std::as_bytes(block);
  store::Rows rows;
  rows.batch = batch.index;
  rows.count = batch.samples;
  rows.fused_scores = std::move(fused.scores);
  rows.fused_prediction = std::move(fused.prediction);
  rows.head_prediction =
      copy_out<std::int32_t>(bytes.subspan(predictions_ * sizeof(std::int64_t)), batch.samples * heads_);
  if (head_scores_) {
    rows.head_scores =
        copy_out<float>(bytes.subspan(scores_ * sizeof(std::int64_t)), batch.samples * heads_ * classes_);
  }
  for (std::size_t n = 0; n < fused.reasons.size(); ++n) {
    const bool good = fused.reasons[n] == Reason::none;
    rows.status.push_back(static_cast<std::uint8_t>(good ? SampleStatus::done : SampleStatus::quarantined));
    rows.reason.push_back(static_cast<std::uint8_t>(fused.reasons[n]));
    if (!good) blank(rows, n);
  }
  return rows;
}

/// A quarantined sample has no answer, of no head.
void RowBlock::blank(store::Rows& rows, std::size_t sample) {
  const auto fill = [&](auto& values, auto nothing) {
    const std::size_t width = values.size() / index(rows.count);
    std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(sample * width), width, nothing);
  };
  fill(rows.head_prediction, -1);
  fill(rows.head_scores, std::numeric_limits<float>::quiet_NaN());
}

}  // namespace polyhead::run
