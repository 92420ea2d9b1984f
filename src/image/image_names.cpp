#include "polyhead/image/image_names.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "codec_table.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead::image {
namespace {

/// End of the name, as many bytes as the longest suffix has, in lower case.
std::string end_of(std::string_view name) {
  constexpr std::size_t kMax = 5;
  return lower(name.substr(name.size() - std::min(name.size(), kMax)));
}

std::vector<std::string> suffixes_behind(std::string_view stem) {
  std::vector<std::string> texts;
  for (const Codec& codec : codecs_in_use()) {
    for (const std::string_view suffix : codec.suffixes) texts.push_back(fmt::format("{}{}", stem, suffix));
  }
  return texts;
}

/// Text "a, b WORD c".
std::string enumerated(std::vector<std::string> words, std::string_view word) {
  const std::string last = words.back();
  words.pop_back();
  return words.empty() ? last : fmt::format("{} {} {}", join(words), word, last);
}

}  // namespace

std::string image_formats() {
  std::vector<std::string> names;
  for (const Codec& codec : codecs_in_use()) names.emplace_back(codec.name);
  return enumerated(std::move(names), "and");
}

std::string image_suffixes(std::string_view stem) {
  return enumerated(suffixes_behind(stem), "or");
}

std::string image_suffix_list() {
  return join(suffixes_behind(""));
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool is_image_suffix(std::string_view suffix) {
  return std::ranges::any_of(codecs_in_use(), [&](const Codec& codec) {
    return std::ranges::find(codec.suffixes, suffix) != codec.suffixes.end();
  });
}

bool is_image_name(std::string_view name) {
  const std::string end = end_of(name);
  return std::ranges::any_of(codecs_in_use(), [&](const Codec& codec) {
    return std::ranges::any_of(codec.suffixes,
                               [&](std::string_view suffix) { return end.ends_with(suffix); });
  });
}

bool is_foreign_image_name(std::string_view name) {
  static constexpr std::array<std::string_view, 16> kSuffixes{
      ".ppm",  ".bmp",  ".pgm", ".tif", ".tiff", ".webp", ".gif", ".avif",
      ".heic", ".heif", ".jxl", ".jp2", ".jfif", ".jpe",  ".dcm", ".svg"};
  const std::string end = end_of(name);
  return std::ranges::any_of(kSuffixes, [&](std::string_view suffix) { return end.ends_with(suffix); });
}

}  // namespace polyhead::image
