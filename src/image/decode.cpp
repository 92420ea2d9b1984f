#include "polyhead/image/decode.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "codec_table.hpp"
#include "image/resample/byte_kernels.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/image/file_kind.hpp"
#include "polyhead/image/large_turn.hpp"
#include "polyhead/image/normalize.hpp"
#include "polyhead/image/preprocess.hpp"

namespace polyhead::image {
namespace {

using Bytes = std::span<const std::byte>;

/// `geometry_of` without an exception for common cases.
Reason place(const config::Preprocess& preprocess, ImageShape image, Geometry& geometry) {
  const int shorter = preprocess.resize.value_or(std::min(image.height, image.width));
  if (preprocess.crop.value_or(0) > shorter) return Reason::too_small;
  try {
    geometry = geometry_of(preprocess, image);
  } catch (const Error&) {
    return Reason::unsupported;  // one line of pixels scaled to a side over 2^30
  }
  return Reason::none;
}

}  // namespace

struct ImageDecoder::State {
  config::Preprocess preprocess;
  Normalization normalization;
  const ByteKernels& kernels = best_kernels();
  const std::vector<Codec>& codecs;
  std::vector<std::unique_ptr<ImageReader>> readers;  ///< one per codec of `codecs`
  RowResizer resizer;
  Geometry geometry;

  State(const config::Preprocess& steps, std::uint64_t max_pixels, CodecSet set)
      : preprocess(steps),
        normalization(steps),
        codecs(set == CodecSet::all ? all_codecs() : codecs_in_use()),
        resizer(steps.interpolation) {
    for (const Codec& codec : codecs) readers.push_back(codec.make(max_pixels));
  }

  /// Calls `write` when the image is in `resizer`.
  template <class Write>
  Reason with_image(Bytes file, Write write);
  [[nodiscard]] ImageReader* reader_of(Bytes file) const;
  Reason decode(Bytes file, LargeTurn& turn);
  Reason read(ImageReader& reader, Bytes file, LargeTurn& turn);
};

template <class Write>
Reason ImageDecoder::State::with_image(Bytes file, Write write) {
  LargeTurn turn;
  const Reason reason = decode(file, turn);
  for (const auto& reader : readers) reader->close();
  if (reason == Reason::none) write();
  resizer.trim();
  return reason;
}

ImageReader* ImageDecoder::State::reader_of(Bytes file) const {
  const Codec* codec = find_codec(codecs, file);
  return codec != nullptr ? readers[static_cast<std::size_t>(codec - codecs.data())].get() : nullptr;
}

Reason ImageDecoder::State::decode(Bytes file, LargeTurn& turn) {
  if (file.empty()) return Reason::empty_file;
  if (ImageReader* reader = reader_of(file)) return read(*reader, file, turn);
  const auto kind = kind_of(file);
  return kind ? kind->reason : Reason::not_an_image;
}

Reason ImageDecoder::State::read(ImageReader& reader, Bytes file, LargeTurn& turn) {
  if (const Reason reason = reader.open(file); reason != Reason::none) return reason;
  if (const Reason reason = place(preprocess, reader.shape(), geometry); reason != Reason::none)
    return reason;
  if (preprocess.mode == config::PreprocessMode::fast) {
    geometry.whole = geometry.source;
    geometry.shrunk = reader.shrink(geometry.resized);
    geometry.source = reader.shape();
  }
  turn.take(reader.memory() + resizing_memory(geometry));
  resizer.set(geometry);
  return reader.read(resizer);
}

ImageDecoder::ImageDecoder(const config::Preprocess& preprocess, std::uint64_t max_pixels, CodecSet set)
    : state_(std::make_unique<State>(preprocess, max_pixels, set)) {}

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
