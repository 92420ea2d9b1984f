#include "polyhead/run/pipeline.hpp"

#include <algorithm>

namespace polyhead::run {

void compute_features(model::Model& model, const data::Batch& batch, std::span<float> features) {
  if (batch.bytes.empty()) {
    model.features(batch.pixels, features);
  } else {
    model.features(batch.bytes, features);
  }
}

Pipeline::Pipeline(model::Model& model, const config::Config& config, const model::Weights& weights,
                   std::int64_t batch)
    : model_(model),
      block_(config, weights.classes, batch),
      heads_{0, static_cast<std::int64_t>(config.heads.size())},
      features_(static_cast<std::size_t>(batch * weights.feature_width)),
      logits_(static_cast<std::size_t>(heads_.count * batch * weights.classes)),
      words_(block_.words()) {}

store::Rows Pipeline::operator()(const data::Batch& batch) {
  compute_features(model_, batch, features_);
  model_.scores(features_, logits_);
  std::ranges::fill(words_, 0);
  block_.add(logits_, heads_, batch.samples, words_);
  return block_.rows(words_, {batch.index, batch.samples, batch.reasons});
}

}  // namespace polyhead::run
