#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "polyhead/base/image.hpp"
#include "polyhead/base/sample.hpp"

namespace polyhead::data {

inline constexpr std::size_t kPngSignature = 8;  ///< bytes

/// The parts of a PNG file that make its pixels.
struct PngLayout {
  using Bytes = std::span<const std::byte>;

  ImageShape shape;
  int bit_depth = 0;
  int color_type = 0;
  Bytes header;             ///< the IHDR chunk's data
  Bytes palette;            ///< the PLTE chunk's data
  std::vector<Bytes> data;  ///< that of the IDAT chunks; what is missing of the last one is cut off
  bool ends_well = false;   ///< no chunk behind the data is cut short
};

/// Finds the parts, and checks of the rest what Pillow checks: checksums up to the data, and lengths.
/// Compressed texts and colour profiles stay compressed.
Reason find_parts(PngLayout::Bytes file, PngLayout& layout);

}  // namespace polyhead::data
