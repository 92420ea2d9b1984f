#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bit_reader.hpp"

namespace polyhead::image {

/// Entropy-coded data between two markers, without the zero bytes that are stuffed behind 0xFF (ITU-T T.81,
/// B.1.1.5), so that they are read without a look at each.
class EntropySegment {
 public:
  /// Makes room for any segment of a file of so many bytes.
  void reserve(std::size_t file_size);
  /// Takes a segment from the front of `file`, so that a marker comes next there. False where there is none.
  bool take(std::span<const std::uint8_t>& file);
  [[nodiscard]] BitReader begin() const { return BitReader(bytes_.data()); }
  /// Whether `reader` has read more than there is. To be asked after each unit: behind the end lie zeros for
  /// one.
  [[nodiscard]] bool overrun(const BitReader& reader) const {
    return reader.position(bytes_.data()) > size_ * 8;
  }
  /// Gives the memory of an unusually large file back.
  void trim();

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t size_ = 0;
};

}  // namespace polyhead::image
