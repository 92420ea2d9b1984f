#pragma once

#include <bit>
#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace polyhead::run {

/// A value and its bits, for messages.
inline std::string shown(float value) {
  return fmt::format("{} (0x{:08x})", value, std::bit_cast<std::uint32_t>(value));
}
inline std::string shown(std::int32_t value) {
  return fmt::format("{} (0x{:08x})", value, std::bit_cast<std::uint32_t>(value));
}
inline std::string shown(std::uint8_t value) {
  return fmt::format("{} (0x{:02x})", value, value);
}
inline std::string shown(std::uint64_t value) {
  return fmt::format("{} (0x{:016x})", value, value);
}

/// Text from a file, made fit for a terminal.
inline std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7F') c = '?';
  }
  return text;
}

}  // namespace polyhead::run
