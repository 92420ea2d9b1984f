#include "pipeline.hpp"

#include <algorithm>

namespace polyhead::run {

void compute_features(model::Model& model, const data::Batch& batch, std::span<float> features) {
  if (!batch.features.empty()) {
    std::ranges::copy(batch.features, features.begin());
  } else if (batch.bytes.empty()) {
    model.features(batch.pixels, features);
  } else {
    model.features(batch.bytes, features);
  }
}

Pipeline::Pipeline(model::Model& model, const config::Config& config, const model::Weights& weights,
                   std::int64_t batch)
    : model_(model),
      block_(config, weights.classes, batch, {{0, static_cast<std::int64_t>(config.heads.size())}}),
      features_(static_cast<std::size_t>(batch * weights.feature_width)),
      logits_(static_cast<std::size_t>(batch * weights.classes) * config.heads.size()),
      sums_(block_.words()),
      head_outputs_(block_.all_bytes()) {}

store::Rows Pipeline::operator()(const data::Batch& batch) {
  compute_features(model_, batch, features_);
  model_.scores(features_, logits_);
  std::ranges::fill(sums_, 0);
  block_.add(logits_, 0, batch.samples, sums_, head_outputs_);
  return block_.rows(sums_, head_outputs_, {batch.index, batch.samples, batch.reasons});
}

}  // namespace polyhead::run
