#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "image/jpeg/jpeg.hpp"
#include "image/resample/row_resizer.hpp"

namespace polyhead::testing {

/// The part of an image that is read: from `first` to `last` eighths of its rows and columns, with the sides
/// divided by up to `divisor`.
struct JpegView {
  int divisor = 1;
  int first = 0;
  int last = 8;
};

/// What a reader made of a file.
struct JpegResult {
  Reason reason = Reason::none;
  std::vector<std::uint8_t> pixels;  ///< RGB; none without an image
  bool operator==(const JpegResult&) const = default;
};

/// Reads JPEG files with the library's entropy decoder, or with ours where it can.
class JpegSubject {
 public:
  explicit JpegSubject(bool own_entropy) : reader_(kMaxPixels, own_entropy) {}

  JpegResult read(std::span<const std::byte> file, JpegView view) {
    JpegResult result{reader_.open(file), {}};
    if (result.reason == Reason::none) result.reason = read_open(view, result.pixels);
    decoded_entropy_ = reader_.decoded_entropy();
    reader_.close();
    return result;
  }
  /// Whether our decoder read the last image.
  [[nodiscard]] bool decoded_entropy() const { return decoded_entropy_; }

 private:
  static constexpr std::uint64_t kMaxPixels = std::uint64_t{1} << 16U;

  Reason read_open(JpegView view, std::vector<std::uint8_t>& pixels) {
    const auto [height, width] = reader_.shape();
    reader_.shrink({(height + view.divisor - 1) / view.divisor, (width + view.divisor - 1) / view.divisor});
    const ImageShape source = reader_.shape();
    image::Geometry geometry{
        source, source, {}, source.height * view.first / 8, source.width * view.first / 8};
    geometry.output = {std::max(1, source.height * view.last / 8 - geometry.top),
                       std::max(1, source.width * view.last / 8 - geometry.left)};
    resizer_.set(geometry);
    const Reason reason = reader_.read(resizer_);
    for (int y = 0; reason == Reason::none && y < geometry.output.height; ++y) {
      const std::uint8_t* pixel = resizer_.output(y);
      for (int x = 0; x < geometry.output.width; ++x, pixel += image::kPixelBytes) {
        pixels.insert(pixels.end(), pixel, pixel + 3);
      }
    }
    resizer_.trim();
    return reason;
  }

  image::JpegReader reader_;
  image::RowResizer resizer_{config::Interpolation::bilinear};
  bool decoded_entropy_ = false;
};

}  // namespace polyhead::testing
