#include "crc32.hpp"

#include <array>
#include <cstring>

namespace polyhead::checkpoint {
namespace {

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

/// Table k advances a byte by k further bytes of zeros, so that eight bytes take one step.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8U) ^ tables[0][before & 0xFFU];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

std::uint32_t eight_bytes(std::uint32_t crc, const std::byte* bytes) {
  std::uint64_t block = 0;
  std::memcpy(&block, bytes, sizeof block);
  block ^= crc;
  std::uint32_t next = 0;
  for (std::size_t k = 0; k < 8; ++k) next ^= kTables[7 - k][(block >> (8 * k)) & 0xFFU];
  return next;
}

}  // namespace

std::uint32_t crc32(std::uint32_t crc, std::span<const std::byte> bytes) {
  crc = ~crc;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) crc = eight_bytes(crc, bytes.data());
  for (const std::byte byte : bytes) {
    crc = (crc >> 8U) ^ kTables[0][(crc ^ static_cast<std::uint32_t>(byte)) & 0xFFU];
  }
  return ~crc;
}

}  // namespace polyhead::checkpoint
