#include "polyhead/fusion/rules.hpp"

#include <algorithm>
#include <cmath>

#include "polyhead/base/error.hpp"

namespace polyhead::fusion {

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

Transform transform_of(config::FusionRule rule) {
  switch (rule) {
    case config::FusionRule::mean_logits:
      return identity;
    case config::FusionRule::mean_probabilities:
      return softmax;
  }
  throw Error(ExitCode::internal, "unknown fusion rule");
}

}  // namespace polyhead::fusion
