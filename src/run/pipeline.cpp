#include "polyhead/run/pipeline.hpp"

#include <algorithm>
#include <limits>

namespace polyhead::run {
namespace {

std::vector<double> weights_of(const std::vector<config::Head>& heads) {
  std::vector<double> weights;
  weights.reserve(heads.size());
  for (const config::Head& head : heads) weights.push_back(head.weight);
  return weights;
}

std::size_t index(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

}  // namespace

Pipeline::Pipeline(model::Model& model, const config::Config& config, const model::Weights& weights,
                   std::int64_t batch)
    : model_(model),
      fuser_(config.fusion.rule, weights_of(config.heads), weights.classes),
      batch_(batch),
      heads_(static_cast<std::int64_t>(config.heads.size())),
      classes_(weights.classes),
      head_scores_(config.output.head_scores),
      features_(index(batch * weights.feature_width)),
      logits_(index(heads_ * batch * classes_)) {}

store::Rows Pipeline::operator()(const data::Batch& batch) {
  if (batch.bytes.empty()) {
    model_.features(batch.pixels, features_);
  } else {
    model_.features(batch.bytes, features_);
  }
  model_.scores(features_, logits_);
  std::vector<std::int64_t> sums(index(batch.samples * fuser_.columns()));
  fuser_.accumulate(logits_, 0, batch_, sums);
  fusion::Fused fused = fuser_.finish(sums);
  for (std::size_t n = 0; n < batch.reasons.size(); ++n) {
    if (batch.reasons[n] != Reason::none) fused.quarantine(n, batch.reasons[n]);
  }
  return to_rows(batch, fused);
}

store::Rows Pipeline::to_rows(const data::Batch& batch, const fusion::Fused& fused) const {
  store::Rows rows;
  rows.batch = batch.index;
  rows.count = batch.samples;
  rows.fused_scores = fused.scores;
  rows.fused_prediction = fused.prediction;
  rows.head_prediction = fusion::head_predictions(logits_, heads_, batch_, batch.samples);
  if (head_scores_) keep_head_scores(fused, rows);
  for (std::size_t n = 0; n < index(batch.samples); ++n) {
    const bool good = fused.reasons[n] == Reason::none;
    rows.status.push_back(static_cast<std::uint8_t>(good ? SampleStatus::done : SampleStatus::quarantined));
    rows.reason.push_back(static_cast<std::uint8_t>(fused.reasons[n]));
    if (!good)
      std::fill_n(rows.head_prediction.begin() + static_cast<std::ptrdiff_t>(n * index(heads_)), heads_, -1);
  }
  return rows;
}

/// [heads, batch, C] -> [n, heads, C]
void Pipeline::keep_head_scores(const fusion::Fused& fused, store::Rows& rows) const {
  rows.head_scores.assign(index(rows.count * heads_ * classes_), std::numeric_limits<float>::quiet_NaN());
  for (std::int64_t n = 0; n < rows.count; ++n) {
    if (fused.reasons[index(n)] != Reason::none) continue;
    for (std::int64_t k = 0; k < heads_; ++k) {
      std::copy_n(logits_.begin() + (k * batch_ + n) * classes_, classes_,
                  rows.head_scores.begin() + (n * heads_ + k) * classes_);
    }
  }
}

}  // namespace polyhead::run
