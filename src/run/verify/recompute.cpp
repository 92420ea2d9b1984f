#include "recompute.hpp"

#include <utility>

#include "polyhead/comm/local.hpp"
#include "polyhead/run/identity.hpp"
#include "run/identity/fingerprint_changes.hpp"
#include "run/setup/device_assignment.hpp"
#include "run/setup/job_loader.hpp"

namespace polyhead::run {
model::DeviceAssignment place_alone(const config::Config& config, const std::string& fingerprint) {
  config::Parallel parallel = config.parallel;
  comm::LocalWorld world(1);
  const auto cores = gather_cores(*world.collectives(0), "this host");
  const auto choose = [&] { return assign_device(cores, 0, 0, parallel); };
  if (parallel.device != config::Device::automatic) return choose();
  parallel.device = config::Device::cpu;
  const model::DeviceAssignment cpu = choose();
  const nlohmann::json held = parse_object(fingerprint);
  if (held.is_object() && fingerprint_changes(held, fingerprint_of(config, cpu)).empty()) return cpu;
  parallel.device = config::Device::automatic;
  return choose();
}

Recompute::Recompute(const Inputs& inputs, const model::DeviceAssignment& assignment,
                     std::vector<std::int64_t> batches)
    : inputs_(inputs),
      model_(model::make_model(inputs.config, inputs.weights, inputs.micro_batches().size(),
                               inputs.shape.image, assignment)),
      pipeline_(*model_, inputs.config, inputs.weights, inputs.micro_batches().size()),
      batches_(std::move(batches)),
      loader_(make_loader(inputs, assignment)) {}

/// Asks for no more than the loader can hold: each requested micro-batch brings the places of its samples.
void Recompute::ask_ahead() {
  const auto depth = static_cast<std::size_t>(loader_->depth());
  for (; asked_ < batches_.size() && asked_ <= taken_ + depth; ++asked_) {
    const plan::SampleRange range = inputs_.micro_batches().samples_of(batches_[asked_]);
    loader_->request(batches_[asked_], 1, inputs_.dataset->locations(range.first, range.count));
  }
}

store::Rows Recompute::next() {
  ask_ahead();
  data::Batch batch = loader_->next();
  ++taken_;
  store::Rows rows = pipeline_(batch);
  loader_->recycle(std::move(batch));
  return rows;
}

}  // namespace polyhead::run
