#pragma once

#include <string>

#include "image/codec.hpp"
#include "png.hpp"

namespace polyhead::image {

/// Bytes that reading a PNG within `limits` takes at most.
double max_png_memory(const ImageLimits& limits);
/// "libpng 1.6.39"
std::string png_version();

}  // namespace polyhead::image
