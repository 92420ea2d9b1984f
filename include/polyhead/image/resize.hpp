#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "polyhead/base/image.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/image/axis_filter.hpp"

namespace polyhead::image {

/// Version of the resampling, raised whenever resizing, cropping or normalising changes its bits: the
/// numerics fingerprint holds it.
inline constexpr int kResamplingVersion = 1;

/// View of pixels: rows from the top, the channels of a pixel side by side.
template <class Pixel>
struct PixelView {
  const Pixel* pixels = nullptr;  ///< first pixel of the top row
  std::ptrdiff_t stride = 0;      ///< values from one row to the next
};

/// Steps for an image: it is resized from `source` to `resized`; `output` is cut from that at (top, left).
struct Geometry {
  ImageShape source;
  ImageShape resized;
  ImageShape output;
  int top = 0;
  int left = 0;
  int shrunk = 1;      ///< factor by which the source was already divided,
  ImageShape whole{};  ///< and its size before; its last pixels may be partial
  friend bool operator==(const Geometry&, const Geometry&) = default;
};

/// Whether the height is scaled before the width. Pillow's rule since version 13; before that, width was
/// always first. The order decides a few roundings, in images that lose more than twice as much height as
/// width. https://github.com/python-pillow/Pillow/pull/9549
bool height_first(const Geometry& geometry);

/// Resizes and crops images; computes only the part that the crop keeps. uint8: bit for bit the result of
/// Pillow 13's `Image.resize` (one axis, rounded to uint8, then the other). float: the same filters in fp32,
/// as in PyTorch's antialiased `interpolate`. Keeps its buffers: no allocation as long as images don't grow.
template <class Pixel>
class Resizer {
 public:
  explicit Resizer(config::Interpolation interpolation) : interpolation_(interpolation) {}

  /// Prepares for the next images; costs nothing when the geometry is the same as before.
  void set(const Geometry& geometry);
  /// Resizes `image`: [source.height, source.width, channels], channels 1 or 3. The result is [output.height,
  /// output.width, channels]. It is in `image` when nothing was resized, otherwise in this object until its
  /// next use.
  PixelView<Pixel> operator()(PixelView<Pixel> image, int channels);

 private:
  using Weight = std::conditional_t<std::is_same_v<Pixel, std::uint8_t>, std::int32_t, float>;

  [[nodiscard]] bool scales_width() const { return geometry_.source.width != geometry_.resized.width; }
  [[nodiscard]] bool scales_height() const { return geometry_.source.height != geometry_.resized.height; }
  [[nodiscard]] Range source_rows() const;
  [[nodiscard]] Range source_columns() const;
  PixelView<Pixel> scale_width(PixelView<Pixel> image, int rows, int channels);
  PixelView<Pixel> scale_height(PixelView<Pixel> image, int values);

  config::Interpolation interpolation_;
  Geometry geometry_;
  AxisFilter<Weight> columns_;
  AxisFilter<Weight> rows_;
  std::vector<Pixel> width_scaled_;   ///< result of the pass along the rows
  std::vector<Pixel> height_scaled_;  ///< result of the pass along the columns
  std::vector<Weight> sums_;          ///< sums of one row, in the latter pass
};

}  // namespace polyhead::image
