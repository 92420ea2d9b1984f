#include "probe_peer.hpp"

#include <algorithm>
#include <utility>

#include "run/setup/job_loader.hpp"

namespace polyhead::run {
namespace {

constexpr std::int64_t kMaxAhead = 4;  // micro-batches; more would not be faster

}  // namespace

ProbePeer::ProbePeer(const Inputs& inputs, const model::DeviceAssignment& assignment, std::int64_t first)
    : inputs_(inputs),
      batch_(inputs.micro_batches().size()),
      next_(first),
      model_(model::make_model(inputs.config, inputs.weights, batch_, inputs.shape.image, assignment)),
      pipeline_(*model_, inputs.config, inputs.weights, batch_),
      features_(static_cast<std::size_t>(batch_ * inputs.weights.feature_width)),
      logits_(inputs.config.heads.size() * static_cast<std::size_t>(batch_ * inputs.weights.classes)) {
  open_loader(assignment);
  example_ = take();
}

void ProbePeer::open_loader(const model::DeviceAssignment& assignment) {
  loader_ = make_loader(inputs_, assignment, kMaxAhead);
  ahead_ = loader_->depth();
  for (std::int64_t i = 0; i <= ahead_; ++i) request();
}

void ProbePeer::request() {
  const plan::MicroBatches batches = inputs_.micro_batches();
  const std::int64_t index = next_++ % batches.count();
  const plan::SampleRange samples = batches.samples_of(index);
  loader_->request(index, 1, inputs_.dataset->locations(samples.first, samples.count));
}

data::Batch ProbePeer::take() {
  data::Batch batch = loader_->next();
  request();
  return batch;
}

void ProbePeer::read() {
  loader_->recycle(take());
}

void ProbePeer::compute_features() {
  if (example_.bytes.empty()) {
    model_->features(example_.pixels, features_);
  } else {
    model_->features(example_.bytes, features_);
  }
}

void ProbePeer::compute_heads() {
  model_->scores(features_, logits_);
}

void ProbePeer::compute() {
  pipeline_(example_);
}

void ProbePeer::read_and_compute() {
  data::Batch batch = take();
  pipeline_(batch);
  loader_->recycle(std::move(batch));
}

}  // namespace polyhead::run
