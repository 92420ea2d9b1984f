#pragma once

#include <span>
#include <string>
#include <vector>

#include "match.hpp"

namespace polyhead::model {

/// What a batch norm does to each channel at inference: x * scale + shift.
struct ScaleShift {
  std::vector<double> scale;
  std::vector<double> shift;
};

/// `name`: "layer1.0.bn1"; its weight and bias may both be missing (affine=False). `epsilon`: the
/// norm's eps, which no file holds.
ScaleShift scale_shift(const Match& match, const std::string& name, double epsilon);

/// Writes weight and bias of a convolution or linear layer with the batch norm after it folded in, computed
/// in double precision: weight * scale per output channel, (bias - 0) * scale + shift. `bias` may be empty.
void fold(std::span<const float> weight, std::span<const float> bias, const ScaleShift& norm,
          std::span<float> folded_weight, std::span<float> folded_bias);

/// Why a parameter cannot be used, a line each: values that are not finite, variances below zero.
std::vector<std::string> value_problems(const Match& match, const std::vector<ExpectedParameter>& expected);

}  // namespace polyhead::model
