#include "result_layout.hpp"

#include <algorithm>

#include "measures.hpp"
#include "polyhead/config/names.hpp"

namespace polyhead::run {

store::Layout result_layout(const config::Config& config, std::int64_t classes) {
  store::Layout layout;
  layout.classes = classes;
  for (const config::Head& head : config.heads) {
    layout.heads.push_back(head.name);
    layout.head_weights.push_back(head.weight);
  }
  layout.fusion_rule = config::name(config.fusion.rule);
  layout.head_scores = config.output.head_scores;
  for (const Measure& measure : kMeasures) {
    layout.*measure.stored = std::ranges::count(config.output.uncertainty, measure.value) > 0;
  }
  return layout;
}

void ask_for_columns(const store::Layout& layout, config::Config& config) {
  config.output.head_scores = layout.head_scores;
  config.output.uncertainty.clear();
  for (const Measure& measure : kMeasures) {
    if (layout.*measure.stored) config.output.uncertainty.push_back(measure.value);
  }
}

}  // namespace polyhead::run
