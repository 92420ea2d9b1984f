#include "weight_parts.hpp"

#include <utility>

#include "share_weights.hpp"

namespace polyhead::run {

std::size_t as_index(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

Part backbone_of(const model::Layout& layout) {
  return {0, as_index(layout.head_begin.front())};
}

Part part_of(const model::Layout& layout, plan::HeadRange heads) {
  const std::int64_t begin = layout.head_begin[as_index(heads.first)];
  return {as_index(begin), as_index(layout.head_begin[as_index(heads.first + heads.count)] - begin)};
}

Digest digest_of(std::span<const float> values) {
  return Hasher().update(std::as_bytes(values)).digest();
}

model::Weights without_values(const config::Config& config, const model::Layout& all,
                              const graph::Ensemble* members, plan::HeadRange heads, std::size_t& size) {
  model::Weights weights;
  if (members != nullptr) {
    weights.members = std::make_shared<graph::Ensemble>(
        graph::some_members(*members, as_index(heads.first), as_index(heads.count)));
  }
  model::Layout layout = model::make_layout(with_heads(config, heads), weights.members.get());
  weights.parameters = std::move(layout.parameters);
  weights.feature_width = all.feature_width;
  weights.classes = all.classes;
  size = as_index(layout.values);
  return weights;
}

}  // namespace polyhead::run
