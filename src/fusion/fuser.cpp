#include "polyhead/fusion/fuser.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "polyhead/base/error.hpp"

namespace polyhead::fusion {
namespace {

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

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

Fuser::Fuser(config::FusionRule rule, std::vector<double> weights, std::int64_t classes)
    : transform_(transform_of(rule)),
      weights_(std::move(weights)),
      total_weight_(std::accumulate(weights_.begin(), weights_.end(), 0.0)),
      classes_(classes),
      fixed_(static_cast<std::int64_t>(weights_.size())) {
  if (!(total_weight_ > 0) || !std::isfinite(total_weight_)) {
    throw Error(ExitCode::config, "the weights of the heads must be positive and finite");
  }
}

void Fuser::add_row(std::span<const float> logits, double weight, std::span<double> scores,
                    std::span<std::int64_t> sums) const {
  std::int64_t& not_finite = sums[index(classes_)];
  std::int64_t& out_of_range = sums[index(classes_) + 1];
  if (!all_finite(logits)) {
    ++not_finite;
    return;
  }
  transform_(logits, scores);
  bool fits = true;
  for (std::size_t c = 0; c < logits.size(); ++c) {
    const auto term = fixed_.quantise(weight, scores[c]);
    fits = fits && term.has_value();
    sums[c] += term.value_or(0);
  }
  if (!fits) ++out_of_range;
}

void Fuser::accumulate(std::span<const float> logits, std::int64_t first_head, std::int64_t rows,
                       std::span<std::int64_t> sums) const {
  const std::size_t width = index(classes_);
  const std::size_t heads = logits.size() / (index(rows) * width);
  const std::size_t samples = sums.size() / index(columns());
  std::vector<double> scores(width);
  for (std::size_t k = 0; k < heads; ++k) {
    for (std::size_t n = 0; n < samples; ++n) {
      add_row(logits.subspan((k * index(rows) + n) * width, width), weights_.at(index(first_head) + k),
              scores, sums.subspan(n * index(columns()), index(columns())));
    }
  }
}

Fused Fuser::finish(std::span<const std::int64_t> sums) const {
  const std::size_t width = index(classes_);
  const std::size_t samples = sums.size() / index(columns());
  Fused fused{std::vector<float>(samples * width), std::vector<std::int32_t>(samples),
              std::vector<Reason>(samples, Reason::none)};
  for (std::size_t n = 0; n < samples; ++n) {
    const auto row = sums.subspan(n * index(columns()), index(columns()));
    if (row[width] != 0) {
      fused.quarantine(n, Reason::score_not_finite);
    } else if (row[width + 1] != 0) {
      fused.quarantine(n, Reason::score_out_of_range);
    } else {
      const auto classes = row.first(width);
      fused.prediction[n] = static_cast<std::int32_t>(std::ranges::max_element(classes) - classes.begin());
      std::ranges::transform(
          classes, fused.scores.begin() + static_cast<std::ptrdiff_t>(n * width),
          [&](std::int64_t sum) { return static_cast<float>(fixed_.value(sum) / total_weight_); });
    }
  }
  return fused;
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
