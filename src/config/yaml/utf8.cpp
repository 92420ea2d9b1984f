#include "utf8.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace polyhead::config {
namespace {

/// Characters that start with `first` to `last`, and the range of their second byte. That range alone rules
/// out overlong forms, surrogates and values beyond U+10FFFF (RFC 3629, section 4).
struct Form {
  std::uint8_t first, last, second_low, second_high;
  std::size_t length;
};
constexpr std::array<Form, 8> kForms{{{0xC2, 0xDF, 0x80, 0xBF, 2},
                                      {0xE0, 0xE0, 0xA0, 0xBF, 3},
                                      {0xE1, 0xEC, 0x80, 0xBF, 3},
                                      {0xED, 0xED, 0x80, 0x9F, 3},
                                      {0xEE, 0xEF, 0x80, 0xBF, 3},
                                      {0xF0, 0xF0, 0x90, 0xBF, 4},
                                      {0xF1, 0xF3, 0x80, 0xBF, 4},
                                      {0xF4, 0xF4, 0x80, 0x8F, 4}}};

std::uint8_t byte(char c) {
  return static_cast<std::uint8_t>(c);
}

/// Bytes of the character at the start of `text`; 0: malformed.
std::size_t character_length(std::string_view text) {
  const std::uint8_t lead = byte(text[0]);
  if (lead < 0x80) return 1;
  const auto* form = std::find_if(kForms.begin(), kForms.end(),
                                  [&](const Form& f) { return lead >= f.first && lead <= f.last; });
  if (form == kForms.end() || text.size() < form->length) return 0;
  if (byte(text[1]) < form->second_low || byte(text[1]) > form->second_high) return 0;
  const std::string_view rest = text.substr(2, form->length - 2);
  const bool well_formed =
      std::all_of(rest.begin(), rest.end(), [](char c) { return (byte(c) & 0xC0U) == 0x80U; });
  return well_formed ? form->length : 0;
}

}  // namespace

std::optional<std::size_t> malformed_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

bool has_control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (byte(text[i]) < 0x20 || byte(text[i]) == 0x7F) return true;
    if (byte(text[i]) == 0xC2 && i + 1 < text.size() && byte(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

}  // namespace polyhead::config
