#pragma once

#include "polyhead/fusion/fuser.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/run/inputs.hpp"
#include "polyhead/run/worker.hpp"

namespace polyhead::run {

/// The way of one micro-batch through a rank: pixels -> features -> logits of every head -> exact sums ->
/// finished rows. Owns the buffers between the steps.
class Pipeline {
 public:
  /// `model` must outlive it.
  Pipeline(model::Model& model, const config::Config& config, const model::Weights& weights,
           std::int64_t batch);

  store::Rows operator()(const data::Batch& batch);

 private:
  store::Rows to_rows(const data::Batch& batch, const fusion::Fused& fused) const;
  void keep_head_scores(const fusion::Fused& fused, store::Rows& rows) const;

  model::Model& model_;
  fusion::Fuser fuser_;
  std::int64_t batch_;
  std::int64_t heads_;
  std::int64_t classes_;
  bool head_scores_;
  AlignedVector<float> features_;
  AlignedVector<float> logits_;
};

}  // namespace polyhead::run
