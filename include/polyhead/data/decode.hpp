#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "polyhead/base/image.hpp"
#include "polyhead/base/sample.hpp"
#include "polyhead/config/config.hpp"

namespace polyhead::data {

/// Makes model input from the bytes of a JPEG or PNG file. In `mode: exact` the result is what
/// `torchvision.transforms` make of `PIL.Image.open(file).convert("RGB")`, bit for bit; in `mode: fast` the
/// JPEG decoder shrinks while it decodes (DCT scaling), as far as the resized image allows. Never throws for
/// what is in the file. Keeps its buffers. One thread at a time.
class ImageDecoder {
 public:
  /// `preprocess.crop` must be given: all results have one size. `max_pixels`: larger images are not decoded.
  ImageDecoder(const config::Preprocess& preprocess, std::uint64_t max_pixels);
  ~ImageDecoder();
  ImageDecoder(const ImageDecoder&) = delete;
  ImageDecoder& operator=(const ImageDecoder&) = delete;

  /// Writes fp32 [3, H, W], normalised, to `out`, or says why there is no image; `out` then holds anything.
  Reason operator()(std::span<const std::byte> file, std::span<float> out);
  /// The same image before normalisation: uint8 [H, W, 3].
  Reason operator()(std::span<const std::byte> file, std::span<std::uint8_t> out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace polyhead::data
