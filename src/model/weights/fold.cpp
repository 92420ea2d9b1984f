#include "fold.hpp"

#include <cmath>

#include <fmt/format.h>

namespace polyhead::model {
namespace {

constexpr std::string_view kVariance = ".running_var";

bool usable(float value, bool variance) {
  return std::isfinite(value) && !(variance && value < 0);
}

}  // namespace

ScaleShift scale_shift(const Match& match, const std::string& name, double epsilon) {
  const std::vector<float>& mean = match.found.at(name + ".running_mean")->values;
  const std::vector<float>& variance = match.found.at(name + ".running_var")->values;
  const bool affine = match.found.count(name + ".weight") > 0;
  ScaleShift result;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    const double gamma = affine ? match.found.at(name + ".weight")->values[i] : 1.0;
    const double beta = affine ? match.found.at(name + ".bias")->values[i] : 0.0;
    const double scale = gamma / std::sqrt(double{variance[i]} + epsilon);
    result.scale.push_back(scale);
    result.shift.push_back(beta - mean[i] * scale);
  }
  return result;
}

void fold(std::span<const float> weight, std::span<const float> bias, const ScaleShift& norm,
          std::span<float> folded_weight, std::span<float> folded_bias) {
  const std::size_t row = weight.size() / norm.scale.size();
  for (std::size_t channel = 0; channel < norm.scale.size(); ++channel) {
    for (std::size_t i = channel * row; i < (channel + 1) * row; ++i) {
      folded_weight[i] = static_cast<float>(weight[i] * norm.scale[channel]);
    }
    const double before = bias.empty() ? 0.0 : bias[channel];
    folded_bias[channel] = static_cast<float>(before * norm.scale[channel] + norm.shift[channel]);
  }
}

std::vector<std::string> value_problems(const Match& match, const std::vector<ExpectedParameter>& expected) {
  std::vector<std::string> problems;
  for (const ExpectedParameter& parameter : expected) {
    const auto found = match.found.find(parameter.name);
    if (found == match.found.end()) continue;
    const bool variance = parameter.name.ends_with(kVariance);
    const std::vector<float>& values = found->second->values;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (usable(values[i], variance)) continue;
      problems.push_back(fmt::format(
          "{} holds {} (element {} of {}), expected {}", parameter.name, values[i], i, values.size(),
          variance ? "finite values that are not negative" : "finite values only"));
      break;
    }
  }
  return problems;
}

}  // namespace polyhead::model
