#include "polyhead/image/image_names.hpp"

#include <algorithm>
#include <array>

namespace polyhead::image {
namespace {

template <std::size_t N>
bool ends_with_any(std::string_view name, const std::array<std::string_view, N>& suffixes) {
  constexpr std::size_t kMax = 5;
  const std::string end = lower(name.substr(name.size() - std::min(name.size(), kMax)));
  return std::ranges::any_of(suffixes, [&](std::string_view suffix) { return end.ends_with(suffix); });
}

}  // namespace

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool is_image_name(std::string_view name) {
  return ends_with_any<3>(name, {".jpg", ".jpeg", ".png"});
}

bool is_foreign_image_name(std::string_view name) {
  return ends_with_any<16>(name, {".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp", ".gif", ".avif", ".heic",
                                  ".heif", ".jxl", ".jp2", ".jfif", ".jpe", ".dcm", ".svg"});
}

}  // namespace polyhead::image
