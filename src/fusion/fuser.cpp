#include "polyhead/fusion/fuser.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "polyhead/base/error.hpp"

namespace polyhead::fusion {
namespace {

std::size_t index(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

}  // namespace

void Fused::quarantine(std::size_t n, Reason reason) {
  const std::size_t width = scores.size() / prediction.size();
  std::fill_n(scores.begin() + static_cast<std::ptrdiff_t>(n * width), width,
              std::numeric_limits<float>::quiet_NaN());
  prediction[n] = -1;
  reasons[n] = reason;
}

Fuser::Fuser(config::FusionRule rule, const std::vector<double>& weights, std::int64_t classes)
    : rule_(make_rule(rule, weights, classes)), classes_(classes) {}

void Fuser::accumulate(std::span<const float> logits, std::int64_t first_head, std::int64_t rows,
                       std::span<std::int64_t> sums) const {
  if (columns() == 0) return;
  const std::size_t samples = sums.size() / index(columns());
  const std::size_t each = index(rows * classes_);
  for (std::int64_t k = 0; index(k) * each < logits.size(); ++k) {
    rule_->add(first_head + k, logits.subspan(index(k) * each, samples * index(classes_)), sums);
  }
}

Fused Fuser::finish(std::span<const std::int64_t> sums, std::int64_t samples,
                    std::span<const float> members) const {
  if (needs_members() && members.empty() && samples > 0)
    throw Error(ExitCode::internal, "fusion: this rule needs the scores of all heads");
  const std::size_t width = index(classes_);
  const std::size_t member_values = members.size() / std::max<std::size_t>(1, index(samples));
  Fused fused{std::vector<float>(index(samples) * width), std::vector<std::int32_t>(index(samples)),
              std::vector<Reason>(index(samples), Reason::none)};
  for (std::size_t n = 0; n < index(samples); ++n) {
    const Verdict verdict = rule_->finish(sums.subspan(n * index(columns()), index(columns())),
                                          members.subspan(n * member_values, member_values),
                                          std::span(fused.scores).subspan(n * width, width));
    fused.prediction[n] = verdict.prediction;
    if (verdict.reason != Reason::none) fused.quarantine(n, verdict.reason);
  }
  return fused;
}

ExchangeWidth exchange_width(const config::Config& config, std::int64_t classes) {
  const Fuser fuser = make_fuser(config, classes);
  const bool scores = config.output.head_scores || fuser.needs_members();
  return {fuser.columns(), 1 + (scores ? classes : 0), scores};
}

Fuser make_fuser(const config::Config& config, std::int64_t classes) {
  std::vector<double> weights;
  weights.reserve(config.heads.size());
  for (const config::Head& head : config.heads) weights.push_back(head.weight);
  return {config.fusion.rule, weights, classes};
}

std::vector<std::int32_t> head_predictions(std::span<const float> logits, std::int64_t heads,
                                           std::int64_t rows, std::int64_t samples) {
  const std::size_t width = logits.size() / index(heads * rows);
  std::vector<std::int32_t> predictions(index(samples * heads));
  for (std::size_t k = 0; k < index(heads); ++k) {
    for (std::size_t n = 0; n < index(samples); ++n) {
      const auto row = logits.subspan((k * index(rows) + n) * width, width);
      const bool has_nan = std::ranges::any_of(row, [](float value) { return std::isnan(value); });
      predictions[n * index(heads) + k] =
          has_nan ? -1 : static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin());
    }
  }
  return predictions;
}

}  // namespace polyhead::fusion
