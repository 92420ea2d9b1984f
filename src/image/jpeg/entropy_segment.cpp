#include "entropy_segment.hpp"

#include <algorithm>
#include <cstring>

#include "polyhead/image/buffer.hpp"

namespace polyhead::image {
namespace {

/// Most bytes of a unit (MCU): ten blocks of 64 coefficients, each a code of 16 bits and a value of 15.
constexpr std::size_t kUnit = 10 * 64 * 31 / 8;

}  // namespace

void EntropySegment::reserve(std::size_t file_size) {
  make_room(bytes_, file_size + kUnit + BitReader::kSlack);
}

bool EntropySegment::take(std::span<const std::uint8_t>& file) {
  std::uint8_t* to = bytes_.data();
  while (!file.empty()) {
    const auto* stop = static_cast<const std::uint8_t*>(std::memchr(file.data(), 0xFF, file.size() - 1));
    if (stop == nullptr) return false;
    to = std::copy(file.data(), stop, to);
    file = file.subspan(static_cast<std::size_t>(stop - file.data()));
    if (file[1] != 0) break;
    *to++ = 0xFF;
    file = file.subspan(2);
  }
  if (file.empty()) return false;
  std::fill_n(to, kUnit + BitReader::kSlack, 0);
  size_ = static_cast<std::size_t>(to - bytes_.data());
  return true;
}

void EntropySegment::trim() {
  image::trim(bytes_);
}

}  // namespace polyhead::image
