// What our decoder of JPEG's entropy makes of a file is what the library makes of it, whatever the file.

#include <cstdint>
#include <span>

#include "../image/entropy_pair.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using polyhead::testing::JpegSubject;
  using polyhead::testing::JpegView;
  static JpegSubject own(true);
  static JpegSubject library(false);
  const auto file = std::as_bytes(std::span(data, size));
  for (const JpegView view : {JpegView{}, JpegView{1, 4, 5}, JpegView{2, 1, 7}}) {
    if (own.read(file, view) != library.read(file, view)) __builtin_trap();
  }
  return 0;
}
