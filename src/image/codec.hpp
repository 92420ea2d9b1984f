#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "image/resample/row_resizer.hpp"
#include "polyhead/base/image.hpp"
#include "polyhead/base/sample.hpp"

namespace polyhead::image {

/// Decodes images of one format, one after the other. Never throws because of a file's content. One thread at
/// a time.
class ImageReader {
 public:
  ImageReader() = default;
  virtual ~ImageReader() = default;
  ImageReader(const ImageReader&) = delete;
  ImageReader& operator=(const ImageReader&) = delete;

  /// Reads the header of a file that starts with the codec's signature. `file` must live until `read` is
  /// through.
  virtual Reason open(std::span<const std::byte> file) = 0;
  /// Size of the image that `read` will produce.
  [[nodiscard]] virtual ImageShape shape() const = 0;
  /// Bytes that `read` will take, at most.
  [[nodiscard]] virtual std::uint64_t memory() = 0;
  /// Lets the decoder shrink the image, as long as both sides stay at least those of `smallest`. Returns the
  /// divisor.
  virtual int shrink(ImageShape /*smallest*/) { return 1; }
  /// Adds the rows that `resizer`, which is set for `shape`, wants.
  virtual Reason read(RowResizer& resizer) = 0;
  /// Releases what the decoder took; also called where `open` was not.
  virtual void close() = 0;
};

/// Limits of an image, rounded. Doubles: no product of them overflows.
struct ImageLimits {
  double pixels = 0;
  double file = 0;         ///< bytes
  double longest_row = 0;  ///< pixels; an image with a longer row is refused
};

/// A format of image files: a row of the table in codec_table.cpp.
struct Codec {
  std::string_view name;                     ///< "JPEG"
  std::string_view kind;                     ///< what such a file is, with an article: "a JPEG image"
  std::vector<std::string_view> signatures;  ///< the first bytes of a file are one of these
  std::vector<std::string_view> suffixes;    ///< suffixes of names, with dots, in lower case, at most 5 bytes
  bool in_use = true;                        ///< whether jobs read such files; else only tests do
  /// Makes a decoder, which refuses images of more than `max_pixels`.
  std::unique_ptr<ImageReader> (*make)(std::uint64_t max_pixels) = nullptr;
  /// Bytes that `ImageReader::read` takes at most for any image within `limits`.
  double (*max_memory)(const ImageLimits& limits) = nullptr;
  /// Version of all that the pixels depend on beside the file: "libpng 1.6.39".
  std::string (*version)() = nullptr;
};

}  // namespace polyhead::image
