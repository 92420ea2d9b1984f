#include "row_resizer.hpp"

#include <algorithm>
#include <optional>

#include "polyhead/image/buffer.hpp"

namespace polyhead::image {
namespace {

/// Bytes of `pixels` pixels, with slack.
std::size_t stride_of(int pixels) {
  const std::size_t bytes = static_cast<std::size_t>(pixels) * kPixelBytes;
  return (bytes + 2 * kRowSlack - 1) / kRowSlack * kRowSlack;
}

/// Source pixels along an axis for `output` of its `resized` pixels. The filters reach over two pixels of the
/// result on each side, and over two of the source.
std::uint64_t sources_of(int output, int resized, int source) {
  const double scale = std::max(1.0, static_cast<double>(source) / resized);
  return std::min(static_cast<std::uint64_t>(source), static_cast<std::uint64_t>((output + 5) * scale) + 5);
}

}  // namespace

std::uint64_t resizing_memory(const Geometry& geometry) {
  const auto& [source, resized, output, top, left, shrunk, whole] = geometry;
  const std::uint64_t rows = sources_of(output.height, resized.height, source.height);
  const std::uint64_t columns = height_first(geometry) ? sources_of(output.width, resized.width, source.width)
                                                       : static_cast<std::uint64_t>(output.width);
  return (rows + 2) * (columns * kPixelBytes + 2 * kRowSlack);
}

void RowResizer::set(const Geometry& geometry) {
  added_ = 0;
  if (geometry == geometry_) return;
  geometry_ = geometry;
  const auto& [source, resized, output, top, left, shrunk, whole] = geometry_;
  const int divisor = shrunk;
  const auto extent = [divisor](int size) {
    return divisor == 1 ? std::nullopt : std::optional(1.0 * size / divisor);
  };
  if (scales_width()) {
    columns_.rebuild(source.width, resized.width, {left, output.width}, interpolation_, extent(whole.width));
  }
  if (scales_height()) {
    rows_.rebuild(source.height, resized.height, {top, output.height}, interpolation_, extent(whole.height));
  }
  width_first_ = !height_first(geometry_);
  stride_ = stride_of(width_first_ ? output.width : columns().count);
  make_room(kept_, stride_ * static_cast<std::size_t>(rows().count));
  make_room(tall_, stride_);
  make_room(wide_, stride_of(output.width));
}

void RowResizer::trim() {
  for (auto* buffer : {&kept_, &tall_, &wide_}) {
    if (image::trim(*buffer)) geometry_ = {};  // so that `set` makes room again
  }
}

Range RowResizer::rows() const {
  return scales_height() ? rows_.sources() : Range{geometry_.top, geometry_.output.height};
}

Range RowResizer::columns() const {
  return scales_width() ? columns_.sources() : Range{geometry_.left, geometry_.output.width};
}

void RowResizer::add(const std::uint8_t* row) {
  std::uint8_t* out = kept_.data() + stride_ * added_++;
  if (width_first_ && scales_width()) {
    kernels_.filter_row(row, columns_, out);
  } else {
    std::copy_n(row, static_cast<std::size_t>(columns().count) * kPixelBytes, out);
  }
}

const std::uint8_t* RowResizer::output(int row) {
  const auto index = static_cast<std::size_t>(row);
  const std::uint8_t* pixels = kept_.data() + stride_ * index;
  if (scales_height()) {
    const int width = width_first_ ? geometry_.output.width : columns().count;
    kernels_.filter_column({kept_.data(), stride_}, rows_, index,
                           static_cast<std::size_t>(width) * kPixelBytes, tall_.data());
    pixels = tall_.data();
  }
  if (width_first_ || !scales_width()) return pixels;
  kernels_.filter_row(pixels, columns_, wide_.data());
  return wide_.data();
}

}  // namespace polyhead::image
