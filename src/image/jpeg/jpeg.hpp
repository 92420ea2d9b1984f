#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "image/resample/row_resizer.hpp"
#include "polyhead/base/image.hpp"
#include "polyhead/base/sample.hpp"

namespace polyhead::image {

/// Bytes that the library's buffers of rows and our own take for a column, at most: four components, 40 rows
/// of each.
inline constexpr std::uint64_t kJpegColumnBytes = 256;

/// Decodes a JPEG file in memory, and accepts what Pillow accepts.
class JpegReader {
 public:
  /// `own_entropy`: with a ScanDecoder where it can. The results are the same; tests compare them.
  explicit JpegReader(std::uint64_t max_pixels, bool own_entropy = true);
  ~JpegReader();
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  /// Reads the header. `file` must live until `read` is through.
  Reason open(std::span<const std::byte> file);
  /// Size of the image that `read` will give.
  [[nodiscard]] ImageShape shape() const;
  /// Bytes that `read` will take, at most.
  [[nodiscard]] std::uint64_t memory();
  /// Lets the decoder halve the image, as often as both sides stay at least those of `smallest`;
  /// by what it is divided then.
  int shrink(ImageShape smallest);
  /// Gives the rows that `resizer`, which is set for `shape`, wants.
  Reason read(RowResizer& resizer);
  /// Gives back what the decoder took.
  void close();
  /// Whether the image was last read by a ScanDecoder, and not by the library alone.
  [[nodiscard]] bool decoded_entropy() const;

 private:
  struct Decoder;
  std::uint64_t max_pixels_;
  bool own_entropy_;
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace polyhead::image
