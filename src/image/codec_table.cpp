#include "codec_table.hpp"

#include <algorithm>
#include <iterator>

#include "image/jpeg/jpeg_codec.hpp"
#include "image/png/png_codec.hpp"
#include "image/pnm/pnm.hpp"

namespace polyhead::image {
namespace {

using namespace std::string_view_literals;

template <class Reader>
std::unique_ptr<ImageReader> make(std::uint64_t max_pixels) {
  return std::make_unique<Reader>(max_pixels);
}

bool begins_with_any(std::string_view start, const std::vector<std::string_view>& signatures) {
  return std::ranges::any_of(signatures,
                             [&](std::string_view signature) { return start.starts_with(signature); });
}

}  // namespace

const std::vector<Codec>& all_codecs() {
  static const std::vector<Codec> codecs{
      {.name = "JPEG",
       .kind = "a JPEG image",
       .signatures = {"\xFF\xD8\xFF"sv},
       .suffixes = {".jpg", ".jpeg"},
       .make = make<JpegReader>,
       .max_memory = max_jpeg_memory,
       .version = jpeg_version},
      {.name = "PNG",
       .kind = "a PNG image",
       .signatures = {"\x89PNG\r\n\x1A\n"sv},
       .suffixes = {".png"},
       .make = make<PngReader>,
       .max_memory = max_png_memory,
       .version = png_version},
      {.name = "PNM",
       .kind = "a PGM or PPM image",
       .signatures = {"P5"sv, "P6"sv},
       .suffixes = {".pgm", ".ppm"},
       .in_use = false,
       .make = make<PnmReader>,
       .max_memory = max_pnm_memory,
       .version = pnm_version},
  };
  return codecs;
}

const std::vector<Codec>& codecs_in_use() {
  static const std::vector<Codec> in_use = [] {
    std::vector<Codec> codecs;
    std::ranges::copy_if(all_codecs(), std::back_inserter(codecs), &Codec::in_use);
    return codecs;
  }();
  return in_use;
}

const Codec* find_codec(const std::vector<Codec>& codecs, std::span<const std::byte> start) {
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  const auto found = std::ranges::find_if(
      codecs, [&](const Codec& codec) { return begins_with_any(text, codec.signatures); });
  return found != codecs.end() ? &*found : nullptr;
}

}  // namespace polyhead::image
