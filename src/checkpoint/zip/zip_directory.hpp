#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "checkpoint/input_file.hpp"

namespace polyhead::checkpoint::zip {

using Bytes = std::span<const std::byte>;

/// The little-endian number at `at`; the caller must have checked the range.
template <class T>
T field(Bytes bytes, std::size_t at) {
  static_assert(std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// Position of the central directory in the file.
struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// Finds the directory by the records at the file's end, those of zip64 included. Throws Error(bad_data) when
/// they are missing or point outside the file.
Directory find_directory(const InputFile& file);

}  // namespace polyhead::checkpoint::zip
