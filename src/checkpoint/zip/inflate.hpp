#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "checkpoint/input_file.hpp"

namespace polyhead::checkpoint {

/// Most bytes per packed byte of a large record.
inline constexpr std::uint64_t kMaxInflation = 200;

/// Whether `packed` bytes may become `size` bytes: over 64 MiB, at most kMaxInflation times as many. Files of
/// numbers shrink less, and files made to fill the memory shrink more.
bool plausible_inflation(std::uint64_t packed, std::uint64_t size);

/// Inflates the `packed` bytes at `offset` (raw deflate, RFC 1951) to exactly `size` bytes. Throws
/// std::invalid_argument when they do not end there. The caller must have checked the range and the size.
std::vector<std::byte> inflate(const InputFile& file, std::uint64_t offset, std::uint64_t packed,
                               std::uint64_t size);

}  // namespace polyhead::checkpoint
