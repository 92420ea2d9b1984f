#pragma once

#include <cstdint>
#include <string_view>

namespace polyhead {

/// A sample's state in the result file (`/samples/status`). The numbers are part of the file format.
enum class SampleStatus : std::uint8_t { pending = 0, done = 1, quarantined = 2 };

/// Why a sample was quarantined (`/samples/reason`). The numbers are part of the file format: append only.
enum class Reason : std::uint8_t {
  none = 0,
  score_not_finite = 1,    ///< a head gave NaN or infinity
  score_out_of_range = 2,  ///< weight x score is beyond 2^20, which the exact sum cannot hold
  empty_file = 3,          ///< zero bytes
  not_an_image = 4,        ///< neither JPEG nor PNG
  truncated = 5,           ///< the file ends before the image does
  corrupt = 6,             ///< the decoder gave up
  unsupported = 7,         ///< kind of JPEG or PNG that is not read
  too_many_pixels = 8,     ///< more than data.max_pixels
  file_too_large = 9,      ///< larger than data.max_file_size
  too_small = 10,          ///< smaller than data.preprocess.crop
  missing = 11,            ///< the file is gone
  not_permitted = 12,      ///< the file may not be read
  not_a_file = 13,         ///< a folder, pipe or device
  webp = 14,               ///< webp to other_kind were 4 in files of older versions
  gif = 15,
  bmp = 16,
  tiff = 17,
  heif = 18,         ///< AVIF or HEIC
  jpeg_2000 = 19,    ///< JPEG 2000, XL or XR
  other_image = 20,  ///< another known image format
  lfs_pointer = 21,  ///< a Git LFS pointer in place of the file
  web_page = 22,     ///< HTML or XML
  attributes = 23,   ///< AppleDouble file of macOS
  other_kind = 24,   ///< known, but no image: a PDF, an archive
};

/// Reason that older versions gave: they had one reason for all that is neither JPEG nor PNG.
constexpr Reason coarse(Reason reason) {
  return reason >= Reason::webp && reason <= Reason::other_kind ? Reason::not_an_image : reason;
}

/// One line for `polyhead info` and the log.
constexpr std::string_view describe(Reason reason) {
  switch (reason) {
    case Reason::none:
      return "none";
    case Reason::score_not_finite:
      return "a head's score is NaN or infinite";
    case Reason::score_out_of_range:
      return "weight x score is beyond 2^20";
    case Reason::empty_file:
      return "the file is empty";
    case Reason::not_an_image:
      return "neither a JPEG nor a PNG image";
    case Reason::truncated:
      return "the file ends before the image does";
    case Reason::corrupt:
      return "damaged: the decoder gave up";
    case Reason::unsupported:
      return "a kind of JPEG or PNG that is not read";
    case Reason::too_many_pixels:
      return "more pixels than data.max_pixels";
    case Reason::file_too_large:
      return "larger than data.max_file_size";
    case Reason::too_small:
      return "smaller than data.preprocess.crop";
    case Reason::missing:
      return "the file is gone";
    case Reason::not_permitted:
      return "the file may not be read";
    case Reason::not_a_file:
      return "a folder, pipe or device, not a file";
    case Reason::webp:
      return "a WebP image, whatever its name; JPEG and PNG are read";
    case Reason::gif:
      return "a GIF image, whatever its name; JPEG and PNG are read";
    case Reason::bmp:
      return "a BMP image, whatever its name; JPEG and PNG are read";
    case Reason::tiff:
      return "a TIFF image, whatever its name; JPEG and PNG are read";
    case Reason::heif:
      return "an AVIF or HEIC image, whatever its name; JPEG and PNG are read";
    case Reason::jpeg_2000:
      return "a JPEG 2000, XL or XR image, whatever its name; JPEG and PNG are read";
    case Reason::other_image:
      return "an image of another kind, whatever its name; JPEG and PNG are read";
    case Reason::lfs_pointer:
      return "a pointer of Git LFS, not the image: git lfs pull fetches it";
    case Reason::web_page:
      return "an HTML or XML page, perhaps the error of a download";
    case Reason::attributes:
      return "macOS's attributes of another file (AppleDouble), no image";
    case Reason::other_kind:
      return "no image, but a document, archive or another known kind of file";
  }
  return "unknown reason (written by a newer polyhead)";
}

}  // namespace polyhead
