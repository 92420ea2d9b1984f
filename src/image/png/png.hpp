#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "image/codec.hpp"
#include "png_layout.hpp"

namespace polyhead::image {

/// Most bytes per column in the library's two rows and our converted one.
inline constexpr std::uint64_t kPngColumnBytes = std::uint64_t{2} * 8 + kPixelBytes;

/// Decodes a PNG file in memory. Accepts what Pillow accepts.
class PngReader final : public ImageReader {
 public:
  explicit PngReader(std::uint64_t max_pixels);
  ~PngReader() override;
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  Reason open(std::span<const std::byte> file) override;
  [[nodiscard]] ImageShape shape() const override { return layout_.shape; }
  [[nodiscard]] std::uint64_t memory() override;
  Reason read(RowResizer& resizer) override;
  void close() override;

 private:
  struct Decoder;
  std::uint64_t max_pixels_;
  PngLayout layout_;
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace polyhead::image
