#include "jpeg_codec.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include <fmt/format.h>
#include <jerror.h>
#include <jpeglib.h>

namespace polyhead::image {
namespace {

constexpr double kMaxJpegSide = 65'500;  // pixels
constexpr double kJpegPadding = 31;      // most pixels by which an interleaved block may exceed a side

/// Years in the copyright notice of the loaded library. Nothing else tells its version, which may differ from
/// the header's.
std::string_view years_of_libjpeg() {
  jpeg_error_mgr errors;
  std::string_view notice = jpeg_std_error(&errors)->jpeg_message_table[JMSG_COPYRIGHT];
  notice.remove_prefix(std::min(notice.find_first_of("0123456789"), notice.size()));
  return notice.substr(0, notice.find(' '));
}

}  // namespace

/// Bytes for the coefficients of four components without subsampling, 2 bytes each. For a file in one scan, a
/// copy of its bytes.
double max_jpeg_memory(const ImageLimits& limits) {
  const double sides = std::min(limits.pixels + 1, 2 * kMaxJpegSide);
  const double padded = limits.pixels + kJpegPadding * (sides + kJpegPadding);
  const auto row = static_cast<double>(kJpegColumnBytes);
  return std::max(8 * padded, limits.file) + row * std::min(limits.pixels, kMaxJpegSide);
}

std::string jpeg_version() {
  constexpr int kVersion = LIBJPEG_TURBO_VERSION_NUMBER;  // 2001005 is 2.1.5
  return fmt::format("libjpeg-turbo {}.{}.{} ({})", kVersion / 1'000'000, kVersion / 1'000 % 1'000,
                     kVersion % 1'000, years_of_libjpeg());
}

}  // namespace polyhead::image
