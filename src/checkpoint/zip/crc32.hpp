#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace polyhead::checkpoint {

/// Continues the CRC-32 of zip (polynomial 0xEDB88320, reflected) over more bytes; starts from 0.
std::uint32_t crc32(std::uint32_t crc, std::span<const std::byte> bytes);

}  // namespace polyhead::checkpoint
