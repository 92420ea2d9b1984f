#include "polyhead/image/codecs.hpp"

#include <fmt/format.h>

#include "codec_table.hpp"
#include "polyhead/image/resize.hpp"

namespace polyhead::image {

std::string codec_fingerprint() {
  std::string text;
  for (const Codec& codec : codecs_in_use()) text += codec.version() + "; ";
  return text + fmt::format("resampling {}", kResamplingVersion);
}

}  // namespace polyhead::image
