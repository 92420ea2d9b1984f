#include "mean.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "polyhead/base/error.hpp"
#include "polyhead/fusion/fixed_point.hpp"

namespace polyhead::fusion {
namespace {

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

/// Sums of one sample: C sums of weighted scores, then the number of heads with a score that is not finite,
/// then the number with one out of range.
class Mean final : public Rule {
 public:
  Mean(Transform transform, std::vector<double> weights, std::int64_t classes)
      : transform_(transform),
        weights_(std::move(weights)),
        total_weight_(std::accumulate(weights_.begin(), weights_.end(), 0.0)),
        classes_(static_cast<std::size_t>(classes)),
        fixed_(static_cast<std::int64_t>(weights_.size())) {
    if (!(total_weight_ > 0) || !std::isfinite(total_weight_)) {
      throw Error(ExitCode::config, "the weights of the heads must be positive and finite");
    }
  }

  [[nodiscard]] std::int64_t width() const override { return static_cast<std::int64_t>(columns()); }

  void add(std::int64_t head, std::span<const float> scores, std::span<std::int64_t> sums) const override {
    const double weight = weights_.at(static_cast<std::size_t>(head));
    std::vector<double> transformed(classes_);
    for (; !sums.empty(); sums = sums.subspan(columns()), scores = scores.subspan(classes_)) {
      add_row(scores.first(classes_), weight, transformed, sums.first(columns()));
    }
  }

  Verdict finish(std::span<const std::int64_t> sums, std::span<const float> /*members*/,
                 std::span<float> fused) const override {
    if (sums[classes_] != 0) return {-1, Reason::score_not_finite};
    if (sums[classes_ + 1] != 0) return {-1, Reason::score_out_of_range};
    const auto scores = sums.first(classes_);
    std::ranges::transform(scores, fused.begin(), [&](std::int64_t sum) {
      return static_cast<float>(fixed_.value(sum) / total_weight_);
    });
    return {static_cast<std::int32_t>(std::ranges::max_element(scores) - scores.begin()), Reason::none};
  }

 private:
  [[nodiscard]] std::size_t columns() const { return classes_ + 2; }

  void add_row(std::span<const float> logits, double weight, std::span<double> scores,
               std::span<std::int64_t> sums) const {
    if (!all_finite(logits)) {
      ++sums[logits.size()];
      return;
    }
    transform_(logits, scores);
    bool fits = true;
    for (std::size_t c = 0; c < logits.size(); ++c) {
      const auto term = fixed_.quantise(weight, scores[c]);
      fits = fits && term.has_value();
      sums[c] += term.value_or(0);
    }
    if (!fits) ++sums[logits.size() + 1];
  }

  Transform transform_;
  std::vector<double> weights_;
  double total_weight_;
  std::size_t classes_;
  FixedPoint fixed_;
};

}  // namespace

void identity(std::span<const float> logits, std::span<double> scores) {
  std::ranges::copy(logits, scores.begin());
}

void softmax(std::span<const float> logits, std::span<double> scores) {
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    scores[i] = std::exp(static_cast<double>(logits[i]) - largest);
    sum += scores[i];
  }
  for (double& score : scores) score /= sum;
}

std::unique_ptr<Rule> make_mean_logits(const std::vector<double>& weights, std::int64_t classes) {
  return std::make_unique<Mean>(identity, weights, classes);
}

std::unique_ptr<Rule> make_mean_probabilities(const std::vector<double>& weights, std::int64_t classes) {
  return std::make_unique<Mean>(softmax, weights, classes);
}

}  // namespace polyhead::fusion
