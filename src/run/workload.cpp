#include "polyhead/run/workload.hpp"

#include <algorithm>

#include "polyhead/model/engine.hpp"
#include "polyhead/model/head_spec.hpp"
#include "polyhead/model/layout.hpp"
#include "polyhead/model/resnet_spec.hpp"
#include "polyhead/plan/micro_batches.hpp"

namespace polyhead::run {
namespace {

using config::LayerKind;

constexpr std::int64_t kFloat = 4;
constexpr std::int64_t kIndex = 8;  // bytes of a place that max-pooling notes

/// Channels, height and width of what one image has become.
struct Map {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  [[nodiscard]] std::int64_t values() const { return channels * height * width; }
};

/// Walks an image through the backbone and notes what it costs with LibTorch.
class Walk {
 public:
  explicit Walk(ImageShape image) : map_{3, image.height, image.width} {}

  plan::BackboneCost cost(const model::ResNetSpec& spec) {
    stem(spec.stem);
    for (const model::BlockSpec& block : spec.blocks) this->block(block);
    cost_.feature_width = spec.feature_width;
    cost_.prepared_bytes = cost_.bytes;  // in the layout of LibTorch's kernels
    return cost_;
  }

 private:
  Map convolve(const model::ConvSpec& conv, const Map& in) {
    const auto side = [&](std::int64_t from) {
      return (from + 2 * (conv.kernel / 2) - conv.kernel) / conv.stride + 1;
    };
    const Map out{conv.out, side(in.height), side(in.width)};
    const std::int64_t weights = conv.in * conv.kernel * conv.kernel;
    cost_.flops += 2 * weights * out.values();
    cost_.bytes += (weights + 1) * conv.out * kFloat;  // one bias a channel: the batch norm is folded
    return out;
  }

  void live(std::int64_t fused, std::int64_t separate) {
    cost_.cpu_activations = std::max(cost_.cpu_activations, fused);
    cost_.activations = std::max(cost_.activations, separate);
  }

  void stem(const model::ConvSpec& conv) {
    const Map out = convolve(conv, map_);
    const Map pooled{out.channels, (out.height - 1) / 2 + 1, (out.width - 1) / 2 + 1};
    const std::int64_t bytes =
        (map_.values() + out.values() + pooled.values()) * kFloat + pooled.values() * kIndex;
    live(bytes, bytes);
    map_ = pooled;
  }

  void block(const model::BlockSpec& spec) {
    const Map input = map_;
    Map x = input;
    std::int64_t residual = 0;
    for (std::size_t i = 0; i < spec.convs.size(); ++i) {
      const std::int64_t before = i == 0 ? 0 : x.values();  // the block's input itself is counted below
      const bool last = i + 1 == spec.convs.size();
      if (last && spec.downsample) residual = convolve(*spec.downsample, input).values();
      x = convolve(spec.convs[i], x);
      const std::int64_t others = input.values() + before + residual;
      live((others + (last ? 0 : x.values())) * kFloat, (others + x.values()) * kFloat);
    }
    map_ = x;
  }

  Map map_;
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
  plan::BackboneCost cost = Walk(image).cost(model::resnet_spec(backbone.arch));
  if (model::engine_of(backbone, {}) == config::Engine::winograd) {
    const kernels::ResNetFootprint engine =
        model::winograd_footprint(backbone.arch, image, static_cast<int>(batch), threads);
    cost.prepared_bytes = 0;
    cost.shared_bytes = static_cast<std::int64_t>(engine.weights);
    cost.cpu_workspace = static_cast<std::int64_t>(engine.fixed);
    cost.cpu_activations = static_cast<std::int64_t>(engine.image);
  }
  return cost;
}

}  // namespace

plan::Workload workload_of(const config::Config& config, ImageShape image, std::int64_t samples, int threads,
                           const data::ReadingMemory& reading) {
  plan::Workload workload;
  workload.samples = samples;
  workload.batch = config.parallel.batch.value_or(plan::kDefaultBatch);
  workload.image_values = image.values();
  workload.classes = model::make_layout(config).classes;
  workload.backbone = backbone_cost(config.backbone, image, workload.batch, threads);
  workload.heads.reserve(config.heads.size());
  for (const config::Head& head : config.heads) {
    workload.heads.push_back(head_cost(head, workload.backbone.feature_width));
  }
  workload.head_scores = config.output.head_scores;
  workload.cached = config.output.cache != config::Cache::none;
  workload.read_ahead = config.data.read_ahead;
  workload.worker_bytes = reading.ordinary;
  workload.unusual_bytes = reading.worker - reading.ordinary;
  workload.large_sample_bytes = reading.large_sample;
  return workload;
}

}  // namespace polyhead::run
