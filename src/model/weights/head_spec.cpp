#include "polyhead/model/head_spec.hpp"

namespace polyhead::model {
namespace {

using config::LayerKind;

bool does_nothing(LayerKind kind) {
  return kind == LayerKind::dropout || kind == LayerKind::flatten;
}

}  // namespace

std::vector<HeadStep> head_steps(const config::Head& head, std::int64_t features) {
  std::vector<HeadStep> steps;
  std::int64_t width = features;
  for (std::size_t i = 0; i < head.layers.size(); ++i) {
    const config::Layer& layer = head.layers[i];
    const auto index = static_cast<std::int64_t>(i);
    const bool after_linear =
        !steps.empty() && steps.back().kind == LayerKind::linear && steps.back().index == index - 1;
    if (does_nothing(layer.kind)) continue;
    if (layer.kind == LayerKind::batchnorm && after_linear) {
      steps.back().batch_norm = index;
      continue;
    }
    const std::int64_t out = layer.kind == LayerKind::linear ? layer.width : width;
    steps.push_back({layer.kind, index, width, out, std::nullopt, head.layernorm_eps});
    width = out;
  }
  return steps;
}

std::int64_t head_cost(const config::Head& head, std::int64_t features) {
  std::int64_t cost = 1;
  for (const HeadStep& step : head_steps(head, features)) {
    cost += step.kind == LayerKind::linear ? step.in * step.out : step.out;
  }
  return cost;
}

std::int64_t head_width(const config::Head& head, std::int64_t features) {
  const auto steps = head_steps(head, features);
  return steps.empty() ? features : steps.back().out;
}

}  // namespace polyhead::model
