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
  std::size_t data_size = 0;  ///< bytes in the IDAT chunks; missing bytes of the last one do not count
  bool ends_well = false;     ///< whether no chunk behind the data is cut short
};

/// Data of the IDAT chunk with which `rest` starts; moves `rest` behind it. Nothing if it is another chunk.
/// No list is made, since there may be millions of chunks.
std::optional<PngLayout::Bytes> take_data(PngLayout::Bytes& rest);

/// Finds the parts, and checks the rest as Pillow does: checksums up to the data, and lengths. Compressed
/// texts and colour profiles stay compressed.
Reason find_parts(PngLayout::Bytes file, PngLayout& layout);

}  // namespace polyhead::image
