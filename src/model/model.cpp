#include "polyhead/model/model.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "backbone.hpp"
#include "heads.hpp"
#include "members_model.hpp"
#include "model/torch/normalize.hpp"
#include "model/torch/tensors.hpp"
#include "model/torch/torch_device.hpp"
#include "model/torch/torch_guard.hpp"
#include "model/torch/torch_settings.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/page_buffer.hpp"
#include "polyhead/model/layout.hpp"

namespace polyhead::model {
namespace {

class TorchModel : public Model {
 public:
  TorchModel(const config::Config& config, Weights weights, std::int64_t batch, ImageShape image,
             at::Device device, const DeviceAssignment& assignment, Prepared prepared)
      : weights_(std::move(weights)),
        batch_(batch),
        image_(image),
        device_(device),
        normalize_(config.data.preprocess, device),
        head_count_(static_cast<std::int64_t>(config.heads.size())) {
    const c10::InferenceMode inference;
    TensorSource source(weights_.parameters, values_on_device());
    const resnet::Spec spec = resnet::spec_of(config.backbone.arch);
    const ImageBatchShape input{batch_, 3, image_.height, image_.width};
    if (const std::size_t size = prepared_size(config.backbone, assignment); size > 0) {
      if (prepared.values.empty()) prepared = prepare_alone(config.backbone, size);
      backbone_ = make_winograd_backbone(spec, std::move(prepared), input, assignment.threads);
      source.skip(2 * convolutions(spec).size());
    } else {
      backbone_ = make_torch_backbone(spec, source, input);
    }
    std::vector<std::vector<HeadStep>> heads;
    for (const config::Head& head : config.heads) heads.push_back(head_steps(head, spec.feature_width));
    heads_ = batches_heads(config.backbone, assignment)
                 ? make_batched_heads(heads, source, assignment.threads)
                 : make_torch_heads(heads, source);
    if (device_.is_cuda()) give_back(weights_.values);  // the GPU has its own copy
  }

  void features(std::span<const float> pixels, std::span<float> features) override {
    compute_features(features, [&] {
      return view_of(pixels, {batch_, 3, image_.height, image_.width}).to(device_);
    });
  }

  void features(std::span<const std::uint8_t> bytes, std::span<float> features) override {
    compute_features(features, [&] {
      const at::Tensor images = view_of(bytes, {batch_, image_.height, image_.width, 3});
      return normalize_(images.to(device_, /*non_blocking=*/true));
    });
  }

  void scores(std::span<const float> features, std::span<float> scores) override {
    computing("the heads", [&] {
      at::init_num_threads();
      const c10::InferenceMode inference;
      const at::Tensor out = view_of(scores, {head_count_, batch_, weights_.classes});
      const at::Tensor in = view_of(features, {batch_, weights_.feature_width}).to(device_);
      // On the CPU the heads write straight into `scores`; a GPU's results return in one copy.
      const at::Tensor computed = device_.is_cpu() ? out : at::empty(out.sizes(), in.options());
      heads_->scores(in, computed);
      if (!device_.is_cpu()) out.copy_(computed);
    });
  }

 private:
  /// All values on the model's device: already there, or copied.
  [[nodiscard]] at::Tensor values_on_device() {
    if (!weights_.on_gpu) {
      const auto count = static_cast<std::int64_t>(weights_.values.size());
      return view_of(std::span(weights_.values), {count}).to(device_);
    }
    const Parameter& last = weights_.parameters.back();
    return at::from_blob(weights_.on_gpu.get(), {last.offset + last.elements()},
                         at::TensorOptions().dtype(at::kFloat).device(device_));
  }

  [[nodiscard]] Prepared prepare_alone(const config::Backbone& backbone, std::size_t size) const {
    const auto own = std::make_shared<PageBuffer>(size);
    prepare(backbone, weights_, {own->data(), size});
    return {{own->data(), size}, own};
  }

  /// Runs the work on one micro-batch, possibly twice.
  template <class Work>
  void computing(const std::string& what, Work work) {
    guarded(what, [&] { with_second_try(work, release_cached_memory); });
  }

  template <class Input>
  void compute_features(std::span<float> features, Input input) {
    computing("the backbone", [&] {
      at::init_num_threads();  // OpenMP keeps the number of threads per calling thread
      const c10::InferenceMode inference;
      view_of(features, {batch_, weights_.feature_width}).copy_(backbone_->features(input()));
    });
  }

  Weights weights_;
  std::int64_t batch_;
  ImageShape image_;
  at::Device device_;
  Normalize normalize_;
  std::unique_ptr<Backbone> backbone_;
  std::int64_t head_count_;
  std::unique_ptr<Heads> heads_;
};

/// Checks that the weights are laid out as this configuration requires: they may come from another rank.
void check_layout(const config::Config& config, const Weights& weights) {
  const Layout layout = make_layout(config, weights.members.get());
  const auto same = [](const Parameter& a, const Parameter& b) {
    return a.name == b.name && a.shape == b.shape && a.offset == b.offset;
  };
  const bool fits = std::equal(layout.parameters.begin(), layout.parameters.end(), weights.parameters.begin(),
                               weights.parameters.end(), same) &&
                    (weights.on_gpu || static_cast<std::size_t>(layout.values) == weights.values.size()) &&
                    layout.feature_width == weights.feature_width &&
                    (config.heads.empty() || layout.classes == weights.classes);
  if (!fits) throw Error(ExitCode::internal, "the weights do not belong to this configuration");
}

}  // namespace

std::unique_ptr<Model> make_model(const config::Config& config, Weights weights, std::int64_t batch,
                                  ImageShape image, const DeviceAssignment& assignment, Prepared prepared) {
  if (batch < 1 || image.height < 1 || image.width < 1 || assignment.threads < 1) {
    throw Error(ExitCode::internal, fmt::format("make_model: batch {}, image {} x {}, threads {}", batch,
                                                image.height, image.width, assignment.threads));
  }
  check_layout(config, weights);
  if (weights.members && assignment.cuda)
    throw Error(ExitCode::internal, "make_model: members that are whole models run on CPUs");
  const at::Device device = open_device(assignment);
  return guarded("building the model", [&]() -> std::unique_ptr<Model> {
    apply_torch_settings(assignment.threads);
    if (weights.members) return make_members_model(std::move(weights), batch, image, assignment.threads);
    return std::make_unique<TorchModel>(config, std::move(weights), batch, image, device, assignment,
                                        std::move(prepared));
  });
}

}  // namespace polyhead::model
