#pragma once

#include "polyhead/base/aligned.hpp"
#include "polyhead/data/loader.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/store/rows.hpp"
#include "row_block.hpp"

namespace polyhead::run {

/// Path of one micro-batch through a process that has all heads: pixels -> features -> logits of every head
/// -> exact sums -> finished rows. Owns the buffers between the steps.
class Pipeline {
 public:
  /// `model` must outlive it and have all heads of `config`.
  Pipeline(model::Model& model, const config::Config& config, const model::Weights& weights,
           std::int64_t batch);

  store::Rows operator()(const data::Batch& batch);

 private:
  model::Model& model_;
  RowBlock block_;
  AlignedVector<float> features_;
  AlignedVector<float> logits_;
  std::vector<std::int64_t> sums_;
  std::vector<std::byte> head_outputs_;
};

/// Features of a batch from the backbone. The batch holds pixels or bytes, or the features themselves.
void compute_features(model::Model& model, const data::Batch& batch, std::span<float> features);

}  // namespace polyhead::run
