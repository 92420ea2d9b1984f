#include "polyhead/image/decode.hpp"

#include <algorithm>
#include <array>

#include "image/jpeg/jpeg.hpp"
#include "image/png/png.hpp"
#include "image/resample/byte_kernels.hpp"
#include "image/resample/row_resizer.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/image/file_kind.hpp"
#include "polyhead/image/large_turn.hpp"
#include "polyhead/image/normalize.hpp"
#include "polyhead/image/preprocess.hpp"

namespace polyhead::image {
namespace {

using Bytes = std::span<const std::byte>;

bool starts_with(Bytes file, std::span<const std::uint8_t> signature) {
  return file.size() >= signature.size() &&
         std::ranges::equal(file.first(signature.size()), std::as_bytes(signature));
}

bool is_jpeg(Bytes file) {
  return starts_with(file, std::array<std::uint8_t, 3>{0xFF, 0xD8, 0xFF});
}

bool is_png(Bytes file) {
  return starts_with(file, std::array<std::uint8_t, 8>{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'});
}

/// geometry_of, without an exception for what is common.
Reason place(const config::Preprocess& preprocess, ImageShape image, Geometry& geometry) {
  const int shorter = preprocess.resize.value_or(std::min(image.height, image.width));
  if (preprocess.crop.value_or(0) > shorter) return Reason::too_small;
  try {
    geometry = geometry_of(preprocess, image);
  } catch (const Error&) {
    return Reason::unsupported;  // a line of pixels, blown up to a side beyond 2^30
  }
  return Reason::none;
}

}  // namespace

struct ImageDecoder::State {
  config::Preprocess preprocess;
  Normalization normalization;
  const ByteKernels& kernels = best_kernels();
  JpegReader jpeg;
  PngReader png;
  RowResizer resizer;
  Geometry geometry;

  State(const config::Preprocess& steps, std::uint64_t max_pixels)
      : preprocess(steps),
        normalization(steps),
        jpeg(max_pixels),
        png(max_pixels),
        resizer(steps.interpolation) {}

  /// Calls `write` when the image is in `resizer`.
  template <class Write>
  Reason with_image(Bytes file, Write write);
  Reason decode(Bytes file, LargeTurn& turn);
  Reason decode_jpeg(Bytes file, LargeTurn& turn);
  Reason decode_png(Bytes file, LargeTurn& turn);
};

template <class Write>
Reason ImageDecoder::State::with_image(Bytes file, Write write) {
  LargeTurn turn;
  const Reason reason = decode(file, turn);
  jpeg.close();
  png.close();
  if (reason == Reason::none) write();
  resizer.trim();
  return reason;
}

Reason ImageDecoder::State::decode(Bytes file, LargeTurn& turn) {
  if (file.empty()) return Reason::empty_file;
  if (is_jpeg(file)) return decode_jpeg(file, turn);
  if (is_png(file)) return decode_png(file, turn);
  const auto kind = kind_of(file);
  return kind ? kind->reason : Reason::not_an_image;
}

Reason ImageDecoder::State::decode_jpeg(Bytes file, LargeTurn& turn) {
  if (const Reason reason = jpeg.open(file); reason != Reason::none) return reason;
  if (const Reason reason = place(preprocess, jpeg.shape(), geometry); reason != Reason::none) return reason;
  if (preprocess.mode == config::PreprocessMode::fast) {
    geometry.whole = geometry.source;
    geometry.shrunk = jpeg.shrink(geometry.resized);
    geometry.source = jpeg.shape();
  }
  turn.take(jpeg.memory() + resizing_memory(geometry));
  resizer.set(geometry);
  return jpeg.read(resizer);
}

Reason ImageDecoder::State::decode_png(Bytes file, LargeTurn& turn) {
  if (const Reason reason = png.open(file); reason != Reason::none) return reason;
  if (const Reason reason = place(preprocess, png.shape(), geometry); reason != Reason::none) return reason;
  turn.take(png.memory() + resizing_memory(geometry));
  resizer.set(geometry);
  return png.read(resizer);
}

ImageDecoder::ImageDecoder(const config::Preprocess& preprocess, std::uint64_t max_pixels)
    : state_(std::make_unique<State>(preprocess, max_pixels)) {}

ImageDecoder::~ImageDecoder() = default;

Reason ImageDecoder::operator()(std::span<const std::byte> file, std::span<float> out) {
  State& state = *state_;
  return state.with_image(file, [&] {
    const auto [height, width] = state.geometry.output;
    const std::size_t plane = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
    float* row = out.data();
    for (int y = 0; y < height; ++y, row += width) {
      state.kernels.normalize(state.resizer.output(y), static_cast<std::size_t>(width), state.normalization,
                              {row, row + plane, row + 2 * plane});
    }
  });
}

Reason ImageDecoder::operator()(std::span<const std::byte> file, std::span<std::uint8_t> out) {
  State& state = *state_;
  return state.with_image(file, [&] {
    const auto [height, width] = state.geometry.output;
    std::uint8_t* to = out.data();
    for (int y = 0; y < height; ++y) {
      const std::uint8_t* pixel = state.resizer.output(y);
      for (int x = 0; x < width; ++x, pixel += kPixelBytes, to += 3) std::copy_n(pixel, 3, to);
    }
  });
}

}  // namespace polyhead::image
