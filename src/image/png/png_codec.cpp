#include "png_codec.hpp"

#include <fmt/format.h>
#include <png.h>

namespace polyhead::image {

/// Bytes of all rows of an interlaced image, or of one longest row.
double max_png_memory(const ImageLimits& limits) {
  const auto row = static_cast<double>(kPngColumnBytes);
  return row * limits.longest_row + static_cast<double>(kPixelBytes) * limits.pixels;
}

std::string png_version() {
  return fmt::format("libpng {}", png_get_libpng_ver(nullptr));
}

}  // namespace polyhead::image
