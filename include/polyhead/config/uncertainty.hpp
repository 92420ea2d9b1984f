#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "polyhead/config/config.hpp"

namespace polyhead::config {

/// Measures of the ensemble's certainty about a sample. Each is a column of the result, /uncertainty/WORD.
enum class Uncertainty : std::uint8_t { margin };

/// A measure and its word in the file.
struct UncertaintyWord {
  Uncertainty value;
  std::string_view text;
};

/// All measures, in the enumeration's order.
inline constexpr std::array kUncertainties{UncertaintyWord{Uncertainty::margin, "margin"}};

}  // namespace polyhead::config
