#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include <fmt/format.h>

namespace polyhead::data::testing {

/// One entry of a ustar archive, header and padded data.
inline std::string tar_entry(const std::string& name, const std::string& data = "", char type = '0') {
  std::array<char, 512> header{};
  const auto put = [&](std::size_t at, const std::string& text) {
    std::memcpy(header.data() + at, text.data(), text.size());
  };
  put(0, name.substr(0, 100));
  put(100, "0000644");
  put(124, fmt::format("{:011o}", data.size()));
  put(148, "        ");
  header[156] = type;
  put(257, "ustar");
  put(263, "00");
  std::uint32_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  header[154] = '\0';
  std::string entry(header.data(), header.size());
  entry += data;
  entry.resize((entry.size() + 511) / 512 * 512);
  return entry;
}

inline std::string tar_end() {
  return std::string(1024, '\0');
}

/// A pax header for the entry after it.
inline std::string pax(const std::string& key, const std::string& value, char type = 'x') {
  std::size_t length = key.size() + value.size() + 3;
  length += std::to_string(length + std::to_string(length).size()).size();
  return tar_entry("pax", fmt::format("{} {}={}\n", length, key, value), type);
}

}  // namespace polyhead::data::testing
