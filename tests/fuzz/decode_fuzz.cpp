// No file may crash the decoder, or make it read or write out of bounds, or leave it in another state.

#include <cstdint>
#include <span>
#include <vector>

#include "polyhead/image/decode.hpp"

namespace {

using polyhead::Reason;
using polyhead::image::CodecSet;
using polyhead::image::ImageDecoder;

constexpr int kCrop = 12;
constexpr std::uint64_t kMaxPixels = std::uint64_t{1} << 20U;

polyhead::config::Preprocess steps(polyhead::config::PreprocessMode mode) {
  polyhead::config::Preprocess preprocess;
  preprocess.resize = 14;
  preprocess.crop = kCrop;
  preprocess.mode = mode;
  return preprocess;
}

/// Twice by one object: the second result must not depend on what the first left behind.
void decode(ImageDecoder& decoder, std::span<const std::byte> file) {
  std::vector<std::uint8_t> first(std::size_t{3} * kCrop * kCrop);
  std::vector<std::uint8_t> second(first.size());
  const Reason reason = decoder(file, first);
  if (decoder(file, second) != reason) __builtin_trap();
  if (reason == Reason::none && first != second) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static ImageDecoder exact(steps(polyhead::config::PreprocessMode::exact), kMaxPixels, CodecSet::all);
  static ImageDecoder fast(steps(polyhead::config::PreprocessMode::fast), kMaxPixels, CodecSet::all);
  const auto file = std::as_bytes(std::span(data, size));
  decode(exact, file);
  decode(fast, file);
  return 0;
}
