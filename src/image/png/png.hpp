#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "image/resample/row_resizer.hpp"
#include "png_layout.hpp"
#include "polyhead/base/image.hpp"
#include "polyhead/base/sample.hpp"

namespace polyhead::image {

/// Bytes that the library's two rows and our converted one take for a column, at most.
inline constexpr std::uint64_t kPngColumnBytes = 2 * 8 + kPixelBytes;

/// Decodes a PNG file in memory, and accepts what Pillow accepts.
class PngReader {
 public:
  explicit PngReader(std::uint64_t max_pixels);
  ~PngReader();
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  /// Reads the header. `file` must live until `read` is through.
  Reason open(std::span<const std::byte> file);
  [[nodiscard]] ImageShape shape() const { return layout_.shape; }
  /// Bytes that `read` will take, at most.
  [[nodiscard]] std::uint64_t memory() const;
  /// Gives the rows that `resizer`, which is set for `shape`, wants.
  Reason read(RowResizer& resizer);
  /// Gives back what the decoder took.
  void close();

 private:
  struct Decoder;
  std::uint64_t max_pixels_;
  PngLayout layout_;
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace polyhead::image
