#include "pnm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "polyhead/image/buffer.hpp"

namespace polyhead::image {
namespace {

constexpr std::size_t kMagic = 2;  // bytes: P5 or P6
constexpr std::uint64_t kMaxValue = 255;
constexpr std::uint64_t kMaxMaxval = 65'535;

bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/// Takes the text up to the next blank off `rest`, and that blank, as Pillow does. Skips leading blanks, and
/// comments anywhere, up to the end of their line.
std::string take_token(std::string_view& rest) {
  constexpr std::size_t kMax = 10;  // Pillow's limit, in bytes
  std::string token;
  while (!rest.empty() && token.size() <= kMax) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '#') {
      const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
      rest.remove_prefix(std::min(end + 1, rest.size()));
    } else if (!is_blank(c)) {
      token += c;
    } else if (!token.empty()) {
      break;
    }
  }
  return token.size() <= kMax ? token : "";
}

/// Number of at most ten digits; nothing for other tokens.
std::optional<std::uint64_t> take_number(std::string_view& rest) {
  const std::string token = take_token(rest);
  if (token.empty()) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : token) {
    if (c < '0' || c > '9') return std::nullopt;
    number = 10 * number + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

}  // namespace

Reason PnmReader::open(std::span<const std::byte> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  std::string_view rest = text.substr(kMagic);
  if (!rest.empty() && !is_blank(rest.front())) return Reason::corrupt;
  const auto width = take_number(rest);
  const auto height = take_number(rest);
  const auto maxval = take_number(rest);
  if (!width || !height || !maxval) return rest.empty() ? Reason::truncated : Reason::corrupt;
  if (*maxval == 0 || *maxval > kMaxMaxval) return Reason::corrupt;
  if (const Reason reason = set_shape(*width, *height); reason != Reason::none) return reason;
  if (*maxval > kMaxValue) return Reason::unsupported;  // two bytes per value
  channels_ = text[1] == '6' ? 3 : 1;
  set_scale(*maxval);
  values_ = file.last(rest.size());
  const auto pixels = static_cast<std::uint64_t>(shape_.height) * static_cast<std::uint64_t>(shape_.width);
  return values_.size() / channels_ >= pixels ? Reason::none : Reason::truncated;
}

Reason PnmReader::set_shape(std::uint64_t width, std::uint64_t height) {
  constexpr auto kMaxSide = static_cast<std::uint64_t>(std::numeric_limits<int>::max());
  if (width == 0 || height == 0) return Reason::corrupt;
  if (width > max_pixels_ / height) return Reason::too_many_pixels;
  if (width > kMaxSide || height > kMaxSide) return Reason::unsupported;
  shape_ = {static_cast<int>(height), static_cast<int>(width)};
  return Reason::none;
}

/// Sets the scale; halves are rounded to even, as by Python's `round`.
void PnmReader::set_scale(std::uint64_t maxval) {
  for (std::size_t value = 0; value < scaled_.size(); ++value) {
    const double scaled = static_cast<double>(value) / static_cast<double>(maxval) * kMaxValue;
    scaled_[value] = static_cast<std::uint8_t>(std::min(std::nearbyint(scaled), 1.0 * kMaxValue));
  }
}

std::uint64_t PnmReader::memory() {
  return kPixelBytes * static_cast<std::uint64_t>(shape_.width) + kRowSlack;
}

const std::uint8_t* PnmReader::converted(std::size_t row, Range columns) {
  const std::size_t first =
      row * static_cast<std::size_t>(shape_.width) + static_cast<std::size_t>(columns.first);
  const std::byte* from = values_.data() + first * channels_;
  std::uint8_t* to = row_.data();
  for (int x = 0; x < columns.count; ++x, from += channels_, to += kPixelBytes) {
    for (std::size_t c = 0; c < 3; ++c) {
      to[c] = scaled_[std::to_integer<std::size_t>(from[channels_ == 3 ? c : 0])];
    }
  }
  return row_.data();
}

Reason PnmReader::read(RowResizer& resizer) {
  const Range rows = resizer.rows();
  make_room(row_, static_cast<std::size_t>(resizer.columns().count) * kPixelBytes + kRowSlack);
  for (int y = rows.first; y < rows.first + rows.count; ++y) {
    resizer.add(converted(static_cast<std::size_t>(y), resizer.columns()));
  }
  return Reason::none;
}

void PnmReader::close() {
  values_ = {};
  trim(row_);
}

double max_pnm_memory(const ImageLimits& limits) {
  return static_cast<double>(kPixelBytes) * limits.longest_row + static_cast<double>(kRowSlack);
}

std::string pnm_version() {
  return "pnm 1";
}

}  // namespace polyhead::image
