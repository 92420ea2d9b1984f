#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "polyhead/base/image.hpp"
#include "polyhead/base/sample.hpp"
#include "polyhead/config/config.hpp"

namespace polyhead::image {

/// Formats that a decoder reads: those that jobs read, or also unused ones, for tests.
enum class CodecSet { in_use, all };

/// Makes model input from the bytes of a JPEG or PNG file. In `mode: exact` the result equals that of
/// `torchvision.transforms` on `PIL.Image.open(file).convert("RGB")`, bit for bit. In `mode: fast` the JPEG
/// decoder halves the image while it decodes (DCT scaling), as often as it stays larger than the resized one.
/// As in Pillow, the orientation in EXIF is not applied, an alpha channel is dropped, 16-bit gray values
/// above 255 are white, and an animation's first frame counts.
///
/// Files are accepted and refused as by Pillow. All rows must be there; damage from which the decoder
/// recovers is accepted; of a PNG's checksums only those before the data count. In addition, JPEGs of more
/// than 500 scans are refused, and compressed texts and colour profiles in PNGs are ignored. Where scans of a
/// progressive JPEG are missing, the bits depend on the version of libjpeg-turbo, which differs from
/// Pillow's.
///
/// Never throws for the file's content. Keeps its buffers. One thread at a time.
class ImageDecoder {
 public:
  /// `preprocess.crop` must be given: all results have one size. `max_pixels`: larger images are not decoded.
  ImageDecoder(const config::Preprocess& preprocess, std::uint64_t max_pixels,
               CodecSet set = CodecSet::in_use);
  ~ImageDecoder();
  ImageDecoder(const ImageDecoder&) = delete;
  ImageDecoder& operator=(const ImageDecoder&) = delete;

  /// Writes fp32 [3, H, W], normalised, to `out`, or returns the reason why there is no image; then the
  /// content of `out` is unspecified.
  Reason operator()(std::span<const std::byte> file, std::span<float> out);
  /// Writes the image without normalisation: uint8 [H, W, 3].
  Reason operator()(std::span<const std::byte> file, std::span<std::uint8_t> out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace polyhead::image
