#pragma once

#include <string>

namespace polyhead::image {

/// What the pixels of decoded images depend on beside the files: "libjpeg-turbo 2.1.5 (1991-2023); libpng
/// 1.6.39; resampling 1". Part of the numerics fingerprint.
std::string codec_fingerprint();

}  // namespace polyhead::image
