#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "image/codec.hpp"

namespace polyhead::image {

/// Most bytes per column in the library's buffers of rows and our own: four components, 40 rows of each.
inline constexpr std::uint64_t kJpegColumnBytes = 256;

/// Decodes a JPEG file in memory. Accepts what Pillow accepts.
class JpegReader final : public ImageReader {
 public:
  /// `own_entropy`: use a ScanDecoder where possible. The results are equal; tests compare them.
  explicit JpegReader(std::uint64_t max_pixels, bool own_entropy = true);
  ~JpegReader() override;
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  Reason open(std::span<const std::byte> file) override;
  [[nodiscard]] ImageShape shape() const override;
  [[nodiscard]] std::uint64_t memory() override;
  /// Halves the image, by DCT scaling.
  int shrink(ImageShape smallest) override;
  Reason read(RowResizer& resizer) override;
  void close() override;
  /// Whether a ScanDecoder read the last image, and not the library alone.
  [[nodiscard]] bool decoded_entropy() const;

 private:
  struct Decoder;
  std::uint64_t max_pixels_;
  bool own_entropy_;
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace polyhead::image
