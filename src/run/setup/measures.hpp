#pragma once

#include <array>
#include <span>
#include <vector>

#include "polyhead/config/uncertainty.hpp"
#include "polyhead/fusion/margin.hpp"
#include "polyhead/store/result_shape.hpp"
#include "polyhead/store/rows.hpp"

namespace polyhead::run {

/// A measure of uncertainty: its column, and what computes it for one sample from the fused scores, fp32 [C].
struct Measure {
  config::Uncertainty value;
  bool store::Layout::*stored;
  std::vector<float> store::Rows::*column;
  float (*of)(std::span<const float> fused);
};

/// All measures.
inline constexpr std::array kMeasures{
    Measure{config::Uncertainty::margin, &store::Layout::margin, &store::Rows::margin, fusion::margin}};
static_assert(kMeasures.size() == config::kUncertainties.size());

}  // namespace polyhead::run
