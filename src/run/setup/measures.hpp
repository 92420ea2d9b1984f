#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "polyhead/config/uncertainty.hpp"
#include "polyhead/fusion/margin.hpp"
#include "polyhead/store/columns.hpp"
#include "polyhead/store/result_shape.hpp"
#include "polyhead/store/rows.hpp"

namespace polyhead::run {

/// A measure of uncertainty, and its function for one sample from the fused scores, fp32 [C].
struct Measure {
  config::Uncertainty value;
  bool store::Layout::*stored;
  std::vector<float> store::Rows::*column;
  double spread;  ///< largest change, as a multiple of a fused score's, when scores change by rounding
  float (*of)(std::span<const float> fused);
};

/// All measures.
inline constexpr std::array kMeasures{
    Measure{config::Uncertainty::margin, &store::Layout::margin, &store::Rows::margin, 2, fusion::margin}};

/// Whether the measure is in the configuration and has a column of the result with its name.
constexpr bool is_whole(const Measure& measure) {
  constexpr std::string_view kGroup = "/uncertainty/";
  for (const config::UncertaintyWord& word : config::kUncertainties) {
    if (word.value != measure.value) continue;
    for (const store::RowColumn& column : store::kRowColumns) {
      const std::string_view name = column.name;
      if (name.starts_with(kGroup) && name.substr(kGroup.size()) == word.text &&
          column.only_where == measure.stored)
        return column.member == store::ColumnMember(measure.column);
    }
  }
  return false;
}
static_assert(kMeasures.size() == config::kUncertainties.size());
static_assert([] {
  for (std::size_t i = 0; i < kMeasures.size(); ++i) {
    if (kMeasures[i].value != config::kUncertainties[i].value || !is_whole(kMeasures[i])) return false;
  }
  return true;
}());

}  // namespace polyhead::run
