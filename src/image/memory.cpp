#include "polyhead/image/memory.hpp"

#include <algorithm>
#include <cmath>

#include "codec_table.hpp"
#include "image/resample/byte_kernels.hpp"
#include "polyhead/image/buffer.hpp"
#include "polyhead/image/large_turn.hpp"

namespace polyhead::image {
namespace {

constexpr double kSmallThings = 2 << 20U;  // Huffman tables, zlib's window, a palette, rounding up
constexpr double kKeptBuffers = 6.0 * kKeptBuffer;
constexpr double kMaxResized = 1 << 30U;
constexpr double kTapBytes = 96;  // bytes per weight, in all the forms in which it is kept

/// Limits of images, rounded. Doubles: no product of them overflows.
struct Limits {
  double pixels;
  double resize;  ///< size of the shorter side; 0: none
  double crop;

  [[nodiscard]] double longest_short_side() const { return std::sqrt(pixels); }
  /// Pixels of the longest row. A longer row would be refused: it would be too long after resizing.
  [[nodiscard]] double longest_row() const {
    if (resize == 0) return pixels / crop;
    return std::min(pixels, std::sqrt(pixels * kMaxResized / resize));
  }
};

/// Bytes of rows that wait for later ones. Where the height is scaled first, rows have their full width, and
/// images are at least twice as high as wide. Elsewhere they have the width of the crop.
double resizer_bytes(const Limits& limits) {
  constexpr double kPixel = kPixelBytes;
  constexpr double kSlack = 2.0 * kRowSlack;
  constexpr double kReach = 5;  // source rows on both sides of the crop, a row of the result counted as one
  const auto rows = [&](double shorter) {
    if (limits.resize == 0) return limits.crop + kReach;
    return shorter + kReach * std::max(1.0, shorter / limits.resize) + 2 + kReach;
  };
  const double side = limits.longest_short_side();
  const double narrow = rows(side) * (limits.crop * kPixel + kSlack);
  if (limits.resize == 0) return narrow;
  const double width = std::sqrt(limits.pixels / 2);
  const double wide =
      std::min(limits.pixels * kPixel + rows(side) * kSlack, rows(width) * (width * kPixel + kSlack));
  return std::max(narrow, wide);
}

/// Bytes of the filters of both axes.
double table_bytes(const Limits& limits) {
  if (limits.resize == 0) return 0;
  return 2 * (kTapBytes * (4 * limits.longest_short_side() + 5 * limits.crop) + 128 * limits.crop);
}

/// Bytes of the format that takes most.
double decoder_bytes(const Limits& limits, double file) {
  double most = 0;
  for (const Codec& codec : codecs_in_use()) {
    most = std::max(most, codec.max_memory({limits.pixels, file, limits.longest_row()}));
  }
  return most;
}

std::int64_t rounded(double bytes) {
  return static_cast<std::int64_t>(std::ceil(bytes));
}

}  // namespace

ReadingMemory encoded_memory(const config::Data& config) {
  const Limits limits{static_cast<double>(config.max_pixels),
                      static_cast<double>(config.preprocess.resize.value_or(0)),
                      static_cast<double>(config.preprocess.crop.value_or(1))};
  const auto file = static_cast<double>(config.max_file_size);
  const double image = decoder_bytes(limits, file) + resizer_bytes(limits);
  constexpr auto kOrdinary = static_cast<double>(kOrdinarySample);
  const auto beyond = [](double bytes) { return std::max(0.0, bytes - kOrdinary); };
  const double kept = table_bytes(limits) + kKeptBuffers + kSmallThings;
  return {rounded(kept), rounded(std::min(file, kOrdinary) + std::min(image, kOrdinary) + kept),
          rounded(beyond(file) + beyond(image)), true};
}

std::int64_t filter_memory(ImageShape image, ImageShape output) {
  return rounded(kTapBytes * (4.0 * (image.height + image.width) + 6.0 * (output.height + output.width)));
}

}  // namespace polyhead::image
