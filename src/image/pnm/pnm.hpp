#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "image/codec.hpp"

namespace polyhead::image {

/// Decodes 8-bit PGM and PPM files in their binary forms, P5 and P6, to Pillow's pixels. Values are scaled
/// from maxval to 255; larger ones become 255. Comments may stand wherever Pillow skips them. In a file with
/// several images the first counts. Refuses maxval over 255, and numbers with signs or underscores, which
/// Python reads. https://netpbm.sourceforge.net/doc/ppm.html
class PnmReader final : public ImageReader {
 public:
  explicit PnmReader(std::uint64_t max_pixels) : max_pixels_(max_pixels) {}

  Reason open(std::span<const std::byte> file) override;
  [[nodiscard]] ImageShape shape() const override { return shape_; }
  [[nodiscard]] std::uint64_t memory() override;
  Reason read(RowResizer& resizer) override;
  void close() override;

 private:
  Reason set_shape(std::uint64_t width, std::uint64_t height);
  void set_scale(std::uint64_t maxval);
  const std::uint8_t* converted(std::size_t row, Range columns);

  std::uint64_t max_pixels_;
  ImageShape shape_;
  std::size_t channels_ = 1;
  std::array<std::uint8_t, 256> scaled_{};  ///< result per value
  std::span<const std::byte> values_;       ///< the file from the first pixel on
  std::vector<std::uint8_t> row_;           ///< wanted columns of one row, kPixelBytes each
};

/// Bytes that reading a PGM or PPM within `limits` takes at most.
double max_pnm_memory(const ImageLimits& limits);
/// Text "pnm 1": the version of this decoder, which uses no library.
std::string pnm_version();

}  // namespace polyhead::image
