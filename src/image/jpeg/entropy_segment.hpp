#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bit_reader.hpp"

namespace polyhead::image {

/// Entropy-coded data between two markers, without the zero bytes that are stuffed behind 0xFF (ITU-T T.81,
/// B.1.1.5). So the reader need not examine each byte.
class EntropySegment {
 public:
  /// Makes room for any segment of a file of this size, in bytes.
  void reserve(std::size_t file_size);
  /// Takes a segment from the front of `file`; a marker then comes next there. False where there is none.
  bool take(std::span<const std::uint8_t>& file);
  [[nodiscard]] BitReader begin() const { return BitReader(bytes_.data()); }
  /// Whether `reader` has read beyond the end. To be called after each unit: one unit's worth of zeros lies
  /// behind the end.
  [[nodiscard]] bool overrun(const BitReader& reader) const {
    return reader.position(bytes_.data()) > size_ * 8;
  }
  /// Frees the memory of an unusually large file.
  void trim();

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t size_ = 0;
};

}  // namespace polyhead::image
