#include "polyhead/image/resize.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace polyhead::image {
namespace {

constexpr int kFractionBits = AxisFilter<std::int32_t>::kFractionBits;

/// Start of a sum of weighted pixels (one half, so that the shift rounds), and the pixel that the sum gives.
std::int32_t start_of(const std::uint8_t* /*kind*/) {
  return 1 << (kFractionBits - 1);
}
float start_of(const float* /*kind*/) {
  return 0.0F;
}
void finish(std::int32_t sum, std::uint8_t& pixel) {
  pixel = static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}
void finish(float sum, float& pixel) {
  pixel = sum;
}

/// Computes one row of the result; `row` starts at the first needed source column.
template <std::size_t kChannels, class Pixel, class Weight>
void filter_row(const Pixel* row, const AxisFilter<Weight>& columns, Pixel* out) {
  const int begin = columns.sources().first;
  for (std::size_t x = 0; x < columns.size(); ++x) {
    std::array<Weight, kChannels> sums;
    sums.fill(start_of(row));
    const Pixel* source = row + static_cast<std::size_t>(columns.first(x) - begin) * kChannels;
    for (const Weight weight : columns.weights(x)) {
      for (std::size_t c = 0; c < kChannels; ++c) sums[c] += source[c] * weight;
      source += kChannels;
    }
    for (std::size_t c = 0; c < kChannels; ++c) finish(sums[c], out[x * kChannels + c]);
  }
}

/// Computes one row of the result from the rows of `image` that it needs.
template <class Pixel, class Weight>
void filter_column(PixelView<Pixel> image, std::span<const Weight> weights, std::span<Weight> sums,
                   Pixel* out) {
  std::ranges::fill(sums, start_of(image.pixels));
  for (const Weight weight : weights) {
    for (std::size_t x = 0; x < sums.size(); ++x) sums[x] += image.pixels[x] * weight;
    image.pixels += image.stride;
  }
  for (std::size_t x = 0; x < sums.size(); ++x) finish(sums[x], out[x]);
}

/// Room for `size` values. It never shrinks, so images of different sizes do not make it clear memory again.
template <class T>
T* room(std::vector<T>& buffer, std::size_t size) {
  if (buffer.size() < size) buffer.resize(size);
  return buffer.data();
}

}  // namespace

bool height_first(const Geometry& geometry) {
  const std::int64_t height_lost = std::int64_t{geometry.source.height} - geometry.resized.height;
  const std::int64_t width_lost = std::int64_t{geometry.source.width} - geometry.resized.width;
  return height_lost > 0 && height_lost > 2 * width_lost;
}

template <class Pixel>
void Resizer<Pixel>::set(const Geometry& geometry) {
  if (geometry == geometry_) return;
  geometry_ = geometry;
  const auto& [source, resized, output, top, left, shrunk, whole] = geometry_;
  if (scales_width()) columns_.rebuild(source.width, resized.width, {left, output.width}, interpolation_);
  if (scales_height()) rows_.rebuild(source.height, resized.height, {top, output.height}, interpolation_);
}

template <class Pixel>
Range Resizer<Pixel>::source_rows() const {
  return scales_height() ? rows_.sources() : Range{geometry_.top, geometry_.output.height};
}

template <class Pixel>
Range Resizer<Pixel>::source_columns() const {
  return scales_width() ? columns_.sources() : Range{geometry_.left, geometry_.output.width};
}

template <class Pixel>
PixelView<Pixel> Resizer<Pixel>::operator()(PixelView<Pixel> image, int channels) {
  const Range rows = source_rows();
  const Range columns = source_columns();
  const auto [height, width] = geometry_.output;
  const bool first = height_first(geometry_);
  image.pixels += rows.first * image.stride + std::ptrdiff_t{columns.first} * channels;
  if (first) image = scale_height(image, columns.count * channels);
  if (scales_width()) image = scale_width(image, first ? height : rows.count, channels);
  if (scales_height() && !first) image = scale_height(image, width * channels);
  return image;
}

template <class Pixel>
PixelView<Pixel> Resizer<Pixel>::scale_width(PixelView<Pixel> image, int rows, int channels) {
  const std::ptrdiff_t stride = std::ptrdiff_t{geometry_.output.width} * channels;
  Pixel* out = room(width_scaled_, static_cast<std::size_t>(rows * stride));
  const auto filter = channels == 3 ? filter_row<3, Pixel, Weight> : filter_row<1, Pixel, Weight>;
  for (int y = 0; y < rows; ++y) filter(image.pixels + y * image.stride, columns_, out + y * stride);
  return {out, stride};
}

template <class Pixel>
PixelView<Pixel> Resizer<Pixel>::scale_height(PixelView<Pixel> image, int values) {
  const auto stride = static_cast<std::size_t>(values);
  Pixel* out = room(height_scaled_, rows_.size() * stride);
  const std::span sums(room(sums_, stride), stride);
  for (std::size_t y = 0; y < rows_.size(); ++y) {
    const std::ptrdiff_t skipped = rows_.first(y) - rows_.sources().first;
    filter_column<Pixel, Weight>({image.pixels + skipped * image.stride, image.stride}, rows_.weights(y),
                                 sums, out + y * stride);
  }
  return {out, values};
}

template class Resizer<std::uint8_t>;
template class Resizer<float>;

}  // namespace polyhead::image
