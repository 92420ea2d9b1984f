#include "tar_header.hpp"

#include <algorithm>
#include <string_view>

namespace polyhead::data {
namespace {

constexpr std::size_t kChecksum = 148;
constexpr std::size_t kChecksumEnd = 156;

std::string_view text_of(std::span<const std::byte> field) {
  const std::string_view text(reinterpret_cast<const char*>(field.data()), field.size());
  return text.substr(0, text.find('\0'));
}

/// Number in big-endian form with the first bit set: GNU's form for numbers too large for octal digits.
std::optional<std::uint64_t> binary(std::span<const std::byte> field) {
  std::uint64_t value = std::to_integer<std::uint64_t>(field[0]) & 0x7FU;
  for (const std::byte byte : field.subspan(1)) {
    if (value >> 55U != 0) return std::nullopt;  // also refuses negative numbers
    value = value << 8U | std::to_integer<std::uint64_t>(byte);
  }
  return value;
}

std::optional<std::uint64_t> octal(std::span<const std::byte> field) {
  std::string_view text = text_of(field);
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  text = text.substr(0, text.find_last_not_of(' ') + 1);
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

std::optional<std::uint64_t> number(std::span<const std::byte> field) {
  return (field[0] & std::byte{0x80}) != std::byte{0} ? binary(field) : octal(field);
}

}  // namespace

bool TarHeader::is_end() const {
  return std::ranges::all_of(block_, [](std::byte byte) { return byte == std::byte{0}; });
}

/// Whether the checksum fits. Some old programs summed signed bytes.
bool TarHeader::checksum_fits() const {
  std::int64_t plain = 0;
  std::int64_t with_signs = 0;
  for (std::size_t i = 0; i < kTarBlock; ++i) {
    const bool blank = i >= kChecksum && i < kChecksumEnd;
    const auto byte = blank ? std::uint8_t{' '} : std::to_integer<std::uint8_t>(block_[i]);
    plain += byte;
    with_signs += static_cast<std::int8_t>(byte);
  }
  const auto stored = number(field(kChecksum, kChecksumEnd - kChecksum));
  return stored &&
         (*stored == static_cast<std::uint64_t>(plain) || *stored == static_cast<std::uint64_t>(with_signs));
}

std::optional<std::uint64_t> TarHeader::size() const {
  return number(field(124, 12));
}

std::string TarHeader::name() const {
  std::string name(text_of(field(0, 100)));
  const std::string_view prefix = text_of(field(345, 155));
  // GNU's own format uses this field differently and has no NUL after "ustar".
  if (text_of(field(257, 6)) != "ustar" || prefix.empty()) return name;
  return std::string(prefix).append("/").append(name);
}

}  // namespace polyhead::data
