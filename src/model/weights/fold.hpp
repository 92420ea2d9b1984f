#pragma once

#include <span>
#include <string>
#include <vector>

#include "match.hpp"

namespace polyhead::model {

/// Effect of a batch norm on each channel at inference: x * scale + shift.
struct ScaleShift {
  std::vector<double> scale;
  std::vector<double> shift;
};

/// `name`: "layer1.0.bn1"; its weight and bias may both be missing (affine=False). `epsilon`: the norm's eps,
/// which no file holds.
ScaleShift scale_shift(const Match& match, const std::string& name, double epsilon);

/// Folds the batch norm into the weight and bias of the convolution or linear layer before it, in double
/// precision. The results are weight * scale per output channel and (bias - 0) * scale + shift. `bias` may be
/// empty.
void fold(std::span<const float> weight, std::span<const float> bias, const ScaleShift& norm,
          std::span<float> folded_weight, std::span<float> folded_bias);

/// Reasons why parameters cannot be used, one per line: values that are not finite, negative variances.
std::vector<std::string> value_problems(const Match& match, const std::vector<ExpectedParameter>& expected);

}  // namespace polyhead::model
