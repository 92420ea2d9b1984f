#include "polyhead/image/codecs.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include <fmt/format.h>
#include <jerror.h>
#include <jpeglib.h>
#include <png.h>

#include "polyhead/image/resize.hpp"

namespace polyhead::image {
namespace {

/// The years in the copyright notice of the library that is loaded: all that it tells of its version, which
/// need not be the one in the header.
std::string_view years_of_libjpeg() {
  jpeg_error_mgr errors;
  std::string_view notice = jpeg_std_error(&errors)->jpeg_message_table[JMSG_COPYRIGHT];
  notice.remove_prefix(std::min(notice.find_first_of("0123456789"), notice.size()));
  return notice.substr(0, notice.find(' '));
}

}  // namespace

std::string codec_fingerprint() {
  constexpr int kJpeg = LIBJPEG_TURBO_VERSION_NUMBER;  // 2001005 is 2.1.5
  return fmt::format("libjpeg-turbo {}.{}.{} ({}); libpng {}; resampling {}", kJpeg / 1'000'000,
                     kJpeg / 1'000 % 1'000, kJpeg % 1'000, years_of_libjpeg(), png_get_libpng_ver(nullptr),
                     kResamplingVersion);
}

}  // namespace polyhead::image
