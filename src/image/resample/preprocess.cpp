#include "polyhead/image/preprocess.hpp"

#include <algorithm>

namespace polyhead::image {

Preprocessor::Preprocessor(const config::Preprocess& preprocess)
    : preprocess_(preprocess),
      normalization_(preprocess),
      bytes_(preprocess.interpolation),
      floats_(preprocess.interpolation) {}

Geometry Preprocessor::prepare(ImageShape image) {
  if (image != geometry_.source) geometry_ = geometry_of(preprocess_, image);
  return geometry_;
}

void Preprocessor::operator()(const ByteImage& image, float* out) {
  const Geometry geometry = prepare(image.shape);
  bytes_.set(geometry);
  const auto pixels = bytes_({image.pixels, image.row_stride}, image.channels);
  const auto [height, width] = geometry.output;
  for (std::size_t c = 0; c < 3; ++c) {
    for (int y = 0; y < height; ++y, out += width) {
      write_plane(pixels.pixels + y * pixels.stride, image.channels, c, width, out);
    }
  }
}

void Preprocessor::write_plane(const std::uint8_t* row, int channels, std::size_t channel, int width,
                               float* out) const {
  const auto& table = normalization_.table[channel];
  const std::uint8_t* value = channels == 1 ? row : row + channel;
  for (int x = 0; x < width; ++x, value += channels) out[x] = table[*value];
}

void Preprocessor::operator()(const ByteImage& image, std::uint8_t* out) {
  const Geometry geometry = prepare(image.shape);
  bytes_.set(geometry);
  const auto pixels = bytes_({image.pixels, image.row_stride}, image.channels);
  const auto [height, width] = geometry.output;
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* row = pixels.pixels + y * pixels.stride;
    if (image.channels == 3) {
      out = std::copy_n(row, std::size_t{3} * static_cast<std::size_t>(width), out);
    } else {
      for (int x = 0; x < width; ++x) out = std::fill_n(out, 3, row[x]);
    }
  }
}

void Preprocessor::operator()(const FloatImage& image, float* out) {
  const Geometry geometry = prepare(image.shape);
  floats_.set(geometry);
  const auto [height, width] = geometry.output;
  PixelView<float> pixels;
  for (std::size_t c = 0; c < 3; ++c) {
    if (c < static_cast<std::size_t>(image.channels)) {
      const std::size_t plane = c * static_cast<std::size_t>(image.shape.height) * image.shape.width;
      pixels = floats_({image.pixels + plane, image.shape.width}, 1);
    }
    for (int y = 0; y < height; ++y, out += width) {
      for (int x = 0; x < width; ++x) out[x] = normalization_.of(pixels.pixels[y * pixels.stride + x], c);
    }
  }
}

}  // namespace polyhead::image
