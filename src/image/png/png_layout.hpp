#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "polyhead/base/image.hpp"
#include "polyhead/base/sample.hpp"

namespace polyhead::image {

inline constexpr std::size_t kPngSignature = 8;  ///< bytes

/// The parts of a PNG file that make its pixels.
struct PngLayout {
  using Bytes = std::span<const std::byte>;

  ImageShape shape;
  int bit_depth = 0;
  int color_type = 0;
  bool interlaced = false;
  Bytes header;               ///< the IHDR chunk's data
  Bytes palette;              ///< the PLTE chunk's data
  Bytes data;                 ///< the file from the first IDAT chunk on
  std::size_t data_size = 0;  ///< bytes in the IDAT chunks; what is missing of the last one does not count
  bool ends_well = false;     ///< no chunk behind the data is cut short
};

/// The data of the IDAT chunk that `rest` starts with, and moves `rest` behind it; nothing if it is another
/// chunk. (There may be millions of them: nobody makes a list.)
std::optional<PngLayout::Bytes> take_data(PngLayout::Bytes& rest);

/// Finds the parts, and checks of the rest what Pillow checks: checksums up to the data, and lengths.
/// Compressed texts and colour profiles stay compressed.
Reason find_parts(PngLayout::Bytes file, PngLayout& layout);

}  // namespace polyhead::image
