#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace polyhead::config {

/// Offset of the first byte that is not part of well-formed UTF-8 (RFC 3629), if there is one.
std::optional<std::size_t> malformed_utf8(std::string_view text);

/// Whether a byte continues a character, after its first byte.
constexpr bool continues_a_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// Whether well-formed UTF-8 has a control character: U+0000 to U+001F, U+007F to U+009F.
bool has_control_character(std::string_view text);

}  // namespace polyhead::config
