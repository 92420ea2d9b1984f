#pragma once

#include <string>

namespace polyhead::image {

/// Facts besides the files on which decoded pixels depend: "libjpeg-turbo 2.1.5 (1991-2023); libpng 1.6.39;
/// resampling 1". Part of the numerics fingerprint.
std::string codec_fingerprint();

}  // namespace polyhead::image
