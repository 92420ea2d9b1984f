#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace polyhead::data {

/// Range of a label: a class, or -1 for unknown.
inline constexpr std::string_view kLabelRange = "a class from 0 to 2147483647, or -1 for unknown";

/// The label in a .cls file; nothing when it holds anything but one.
std::optional<std::int32_t> label_in_text(std::string_view text);
/// The label in a .json file, -1 when it has none. Nothing when the text is no JSON object or its label is
/// invalid.
std::optional<std::int32_t> label_in_json(std::string_view text);

}  // namespace polyhead::data
