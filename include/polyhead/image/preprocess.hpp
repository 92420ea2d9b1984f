#pragma once

#include <cstddef>
#include <cstdint>

#include "polyhead/base/image.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/image/normalize.hpp"
#include "polyhead/image/resize.hpp"

namespace polyhead::image {

/// Limit of the values in one image, before and after preprocessing.
inline constexpr std::int64_t kMaxValues = std::int64_t{1} << 31U;

/// A decoded 8-bit image: [height, width, channels], 1 or 3 channels.
struct ByteImage {
  const std::uint8_t* pixels = nullptr;
  ImageShape shape;
  int channels = 3;
  std::ptrdiff_t row_stride = 0;  ///< values from one row to the next
};

/// An image whose values are scaled already (no division by 255): [channels, height, width], contiguous, 1 or
/// 3 channels.
struct FloatImage {
  const float* pixels = nullptr;
  ImageShape shape;
  int channels = 3;
};

/// Geometry of torchvision's `Resize(resize)` and `CenterCrop(crop)` for an image of this size. Nothing is
/// ever padded. Throws Error(bad_data) when the crop is larger than the (resized) image, or when a size
/// exceeds its limit.
Geometry geometry_of(const config::Preprocess& preprocess, ImageShape image);

/// torchvision's `Resize`, `CenterCrop`, `ToTensor`, `Normalize` in one pass; gray is repeated to 3 channels.
/// 8-bit images give the same bits as torchvision on PIL images. One thread at a time.
class Preprocessor {
 public:
  explicit Preprocessor(const config::Preprocess& preprocess);

  /// Output size for an image of this size. Throws as `geometry_of` does.
  [[nodiscard]] ImageShape output(ImageShape image) const { return geometry_of(preprocess_, image).output; }
  /// Writes one image, fp32 [3, H, W] with the H and W of `output`, to `out`. Throws as `output` does.
  void operator()(const ByteImage& image, float* out);
  void operator()(const FloatImage& image, float* out);
  /// Writes one image without normalisation: uint8 [H, W, 3].
  void operator()(const ByteImage& image, std::uint8_t* out);

 private:
  Geometry prepare(ImageShape image);
  void write_plane(const std::uint8_t* row, int channels, std::size_t channel, int width, float* out) const;

  config::Preprocess preprocess_;
  Normalization normalization_;
  Geometry geometry_;  ///< geometry of the last image
  Resizer<std::uint8_t> bytes_;
  Resizer<float> floats_;
};

}  // namespace polyhead::image
