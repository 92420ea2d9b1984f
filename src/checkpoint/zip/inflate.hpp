#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "checkpoint/input_file.hpp"

namespace polyhead::checkpoint {

/// How many times its packed bytes a large record may have.
inline constexpr std::uint64_t kMaxInflation = 200;

/// True when `packed` bytes may become `size` bytes: beyond 64 MiB at most kMaxInflation times as many. What
/// holds numbers shrinks less, and files made to fill the memory shrink more.
bool plausible_inflation(std::uint64_t packed, std::uint64_t size);

/// Inflates the `packed` bytes at `offset` (raw deflate, RFC 1951) to exactly `size` bytes. Throws
/// std::invalid_argument when they do not end there. The caller has checked the range and the size.
std::vector<std::byte> inflate(const InputFile& file, std::uint64_t offset, std::uint64_t packed,
                               std::uint64_t size);

}  // namespace polyhead::checkpoint
