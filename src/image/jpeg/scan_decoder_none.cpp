// Replacement where the library's jpegint.h is missing: the library decodes the entropy itself.

#include "scan_decoder.hpp"

namespace polyhead::image {

bool ScanDecoder::take_over(jpeg_decompress_struct& /*info*/, GiveUp /*give_up*/) {
  return false;
}

}  // namespace polyhead::image
