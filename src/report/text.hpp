#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace polyhead::report {

/// Text from a file, fit for a terminal: control characters become '?', line ends stay.
std::string printable(std::string_view text);
/// Text from a file, fit for one line: line ends become '?', too.
std::string one_line(std::string_view text);

/// Pads with spaces to `width` characters (UTF-8 code points).
std::string pad_right(std::string_view text, std::size_t width);
std::size_t width_of(std::string_view text);

}  // namespace polyhead::report
