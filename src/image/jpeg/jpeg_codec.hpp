#pragma once

#include <string>

#include "image/codec.hpp"
#include "jpeg.hpp"

namespace polyhead::image {

/// Bytes that reading a JPEG within `limits` takes at most.
double max_jpeg_memory(const ImageLimits& limits);
/// "libjpeg-turbo 2.1.5 (1991-2023)"
std::string jpeg_version();

}  // namespace polyhead::image
