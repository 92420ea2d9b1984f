#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "support.hpp"

namespace polyhead::testing {

/// Bit by bit, to have nothing in common with what is tested.
inline std::uint32_t slow_crc32(const std::string& bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

/// One entry of a zip file, with the fields that a test may want to be wrong.
struct ZipEntry {
  std::string name;
  std::string data;
  bool checksum = true;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  int size_error = 0;  ///< added to the sizes in the directory
};

/// A zip file of stored entries, without zip64.
inline std::string zip(const std::vector<ZipEntry>& entries) {
  std::string file;
  std::string directory;
  for (const ZipEntry& entry : entries) {
    const auto size = static_cast<std::uint32_t>(static_cast<int>(entry.data.size()) + entry.size_error);
    const std::uint32_t crc = entry.checksum ? slow_crc32(entry.data) : 0;
    const std::string common = le(entry.flags) + le(entry.method) + le(std::uint32_t{0}) + le(crc) +
                               le(size) + le(size) + le(static_cast<std::uint16_t>(entry.name.size())) +
                               le(std::uint16_t{0});
    directory += "PK\x01\x02" + le(std::uint16_t{20}) + le(std::uint16_t{20}) + common +
                 std::string(10, '\0') + le(static_cast<std::uint32_t>(file.size())) + entry.name;
    file += "PK\x03\x04" + le(std::uint16_t{20}) + common + entry.name + entry.data;
  }
  const auto count = static_cast<std::uint16_t>(entries.size());
  return file + directory + "PK\x05\x06" + std::string(4, '\0') + le(count) + le(count) +
         le(static_cast<std::uint32_t>(directory.size())) + le(static_cast<std::uint32_t>(file.size())) +
         std::string(2, '\0');
}

}  // namespace polyhead::testing
