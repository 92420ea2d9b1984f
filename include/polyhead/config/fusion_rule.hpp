#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "polyhead/config/config.hpp"

namespace polyhead::config {

/// Rule that turns the heads' scores into one answer. Each rule has a row in `kFusionRules`, and one in the
/// table of src/fusion/rule.cpp, which computes it.
enum class FusionRule : std::uint8_t { mean_logits, mean_probabilities, median };

/// The configuration's part of a rule.
struct FusionRuleWord {
  FusionRule value;
  std::string_view text;  ///< its word in the file
  bool weighs;            ///< whether heads may differ in `weight`
};

/// All rules, in the order of messages.
inline constexpr std::array kFusionRules{
    FusionRuleWord{FusionRule::mean_logits, "mean-logits", true},
    FusionRuleWord{FusionRule::mean_probabilities, "mean-probabilities", true},
    FusionRuleWord{FusionRule::median, "median", false}};

}  // namespace polyhead::config
