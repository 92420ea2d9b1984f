#include "polyhead/run/workload.hpp"

#include <algorithm>

#include "polyhead/fusion/fuser.hpp"
#include "polyhead/kernels/stem.hpp"
#include "polyhead/model/engine.hpp"
#include "polyhead/model/head_spec.hpp"
#include "polyhead/model/layout.hpp"
#include "polyhead/plan/micro_batches.hpp"
#include "polyhead/resnet/plan.hpp"
#include "polyhead/store/columns.hpp"
#include "run/setup/result_layout.hpp"

namespace polyhead::run {
namespace {

using config::LayerKind;
using kernels::ImageDims;

constexpr std::int64_t kFloat = 4;
constexpr std::int64_t kIndex = 8;  // bytes per place that max-pooling notes

std::int64_t values_of(const ImageDims& dims) {
  return std::int64_t{dims.channels} * dims.height * dims.width;
}

/// Follows an image through the backbone and adds up its costs with LibTorch.
class Walk {
 public:
  explicit Walk(ImageShape image) : image_{3, image.height, image.width} {}

  plan::BackboneCost cost(const resnet::Spec& spec) {
    stem(spec.stem);
    for (const resnet::BlockSpec& block : spec.blocks) this->block(block);
    cost_.feature_width = spec.feature_width;
    cost_.prepared_bytes = cost_.bytes;  // layout of LibTorch's kernels
    return cost_;
  }

 private:
  ImageDims convolve(const resnet::ConvSpec& conv, const ImageDims& in) {
    const kernels::ConvShape& shape = conv.shape;
    const ImageDims out = shape.output(in);
    const std::int64_t weights = std::int64_t{shape.in} * shape.kernel * shape.kernel;
    cost_.flops += 2 * weights * values_of(out);
    cost_.bytes += (weights + 1) * shape.out * kFloat;  // one bias per channel: the batch norm is folded
    return out;
  }

  void live(std::int64_t fused, std::int64_t separate) {
    cost_.cpu_activations = std::max(cost_.cpu_activations, fused);
    cost_.activations = std::max(cost_.activations, separate);
  }

  void stem(const resnet::ConvSpec& conv) {
    const ImageDims out = convolve(conv, image_);
    const ImageDims pooled = kernels::Stem::output(out.channels, image_.height, image_.width);
    const std::int64_t bytes =
        (values_of(image_) + values_of(out) + values_of(pooled)) * kFloat + values_of(pooled) * kIndex;
    live(bytes, bytes);
    image_ = pooled;
  }

  void block(const resnet::BlockSpec& spec) {
    const ImageDims input = image_;
    ImageDims x = input;
    std::int64_t residual = 0;
    for (std::size_t i = 0; i < spec.convs.size(); ++i) {
      const std::int64_t before = i == 0 ? 0 : values_of(x);  // the block's input is counted separately
      const bool last = i + 1 == spec.convs.size();
      if (last && spec.downsample) residual = values_of(convolve(*spec.downsample, input));
      x = convolve(spec.convs[i], x);
      const std::int64_t others = values_of(input) + before + residual;
      live((others + (last ? 0 : values_of(x))) * kFloat, (others + values_of(x)) * kFloat);
    }
    image_ = x;
  }

  ImageDims image_;  ///< present shape of the image
  plan::BackboneCost cost_;
};

std::int64_t padded(std::int64_t values) {
  constexpr std::int64_t kAligned = kAlignment / kFloat;
  return (values + kAligned - 1) / kAligned * kAligned * kFloat;
}

plan::HeadCost head_cost(const config::Head& head, std::int64_t features) {
  plan::HeadCost cost;
  cost.multiplications = model::head_cost(head, features);
  for (const model::HeadStep& step : model::head_steps(head, features)) {
    const bool linear = step.kind == LayerKind::linear;
    const bool has_weights = linear || step.kind == LayerKind::batchnorm || step.kind == LayerKind::layernorm;
    if (has_weights) cost.bytes += padded(linear ? step.in * step.out : step.out) + padded(step.out);
    cost.activations = std::max(cost.activations, (step.in + step.out) * kFloat);
    ++cost.steps;
  }
  return cost;
}

plan::BackboneCost backbone_cost(const config::Backbone& backbone, ImageShape image, std::int64_t batch,
                                 int threads) {
  const resnet::Spec spec = resnet::spec_of(backbone.arch);
  plan::BackboneCost cost = Walk(image).cost(spec);
  if (model::engine_of(backbone, {}) == config::Engine::winograd) {
    const resnet::Footprint engine = resnet::footprint(
        kernels::best_isa().value(), spec, static_cast<int>(batch), image.height, image.width, threads);
    cost.prepared_bytes = 0;
    cost.shared_bytes = static_cast<std::int64_t>(engine.weights);
    cost.cpu_workspace = static_cast<std::int64_t>(engine.fixed);
    cost.cpu_activations = static_cast<std::int64_t>(engine.image);
  }
  return cost;
}

/// The trunk as the backbone, branches as heads.
void add_members(const graph::Ensemble& members, const model::Layout& layout, plan::Workload& workload) {
  const graph::PartCost trunk = graph::cost_of(members, members.trunk);
  workload.backbone.flops = 2 * trunk.multiply_adds;
  workload.backbone.bytes = trunk.weight_bytes;
  workload.backbone.feature_width = layout.feature_width;
  workload.backbone.activations = workload.backbone.cpu_activations = trunk.activations;
  for (const graph::Part& branch : members.branches) {
    const graph::PartCost cost = graph::cost_of(members, branch);
    workload.heads.push_back(
        {std::max<std::int64_t>(1, cost.multiply_adds), cost.weight_bytes, cost.nodes, cost.activations});
  }
}

}  // namespace

plan::Workload workload_of(const config::Config& config, ImageShape image, std::int64_t samples, int threads,
                           const image::ReadingMemory& reading, const graph::Ensemble* members) {
  plan::Workload workload;
  workload.samples = samples;
  workload.batch = config.parallel.batch.value_or(plan::kDefaultBatch);
  workload.image_values = image.values();
  workload.gpu_value = static_cast<std::int64_t>(reading.bytes ? sizeof(std::uint8_t) : sizeof(float));
  const model::Layout layout = model::make_layout(config, members);
  workload.classes = layout.classes;
  if (members != nullptr) {
    add_members(*members, layout, workload);
  } else {
    workload.backbone = backbone_cost(config.backbone, image, workload.batch, threads);
    for (const config::Head& head : config.heads)
      workload.heads.push_back(head_cost(head, workload.backbone.feature_width));
  }
  const fusion::ExchangeWidth width = fusion::exchange_width(config, workload.classes);
  workload.sum_width = width.sums;
  workload.head_values = width.values;
  workload.row_bytes = store::row_bytes(result_layout(config, workload.classes));
  workload.head_scores = config.output.head_scores;
  workload.cached = config.output.cache != config::Cache::none;
  workload.read_ahead = config.data.read_ahead;
  workload.worker_bytes = reading.ordinary;
  workload.unusual_bytes = reading.worker - reading.ordinary;
  workload.large_sample_bytes = reading.large_sample;
  return workload;
}

}  // namespace polyhead::run
