#pragma once

#include <cstdint>

namespace polyhead {

/// Size of one preprocessed image. Channels are always 3: gray images are repeated.
struct ImageShape {
  int height = 0;
  int width = 0;
  friend bool operator==(const ImageShape&, const ImageShape&) = default;
  /// Number of fp32 values in one image, channels included.
  [[nodiscard]] std::int64_t values() const { return std::int64_t{3} * height * width; }
};

}  // namespace polyhead
