#include "polyhead/image/file_kind.hpp"

#include <algorithm>
#include <array>
#include <fstream>

#include <fmt/format.h>
#include <sys/stat.h>

#include "codec_table.hpp"
#include "polyhead/image/image_names.hpp"

namespace polyhead::image {
namespace {

using namespace std::string_view_literals;
using Family = KindFamily;

/// Bytes at a position that identify a kind.
struct Mark {
  std::size_t at;
  std::string_view bytes;
  FileKind kind;
};

// Sources: https://www.iana.org/assignments/media-types and the formats' own pages. A longer mark stands
// before its own start.
constexpr std::array kMarks{
    Mark{8, "WEBPVP"sv, {"a WebP image", Family::image, Reason::webp}},
    Mark{0, "GIF87a"sv, {"a GIF image", Family::image, Reason::gif}},
    Mark{0, "GIF89a"sv, {"a GIF image", Family::image, Reason::gif}},
    Mark{0, "II*\0"sv, {"a TIFF image", Family::image, Reason::tiff}},
    Mark{0, "MM\0*"sv, {"a TIFF image", Family::image, Reason::tiff}},
    Mark{0, "II+\0"sv, {"a BigTIFF image", Family::image, Reason::tiff}},
    Mark{0, "MM\0+"sv, {"a BigTIFF image", Family::image, Reason::tiff}},
    Mark{0, "II\xBC"sv, {"a JPEG XR image", Family::image, Reason::jpeg_2000}},
    Mark{0, "\xFF\x0A"sv, {"a JPEG XL image", Family::image, Reason::jpeg_2000}},
    Mark{0, "\0\0\0\x0CJXL \r\n"sv, {"a JPEG XL image", Family::image, Reason::jpeg_2000}},
    Mark{0, "\xFF\x4F\xFF\x51"sv, {"a JPEG 2000 image", Family::image, Reason::jpeg_2000}},
    Mark{0, "\0\0\0\x0CjP  "sv, {"a JPEG 2000 image", Family::image, Reason::jpeg_2000}},
    Mark{4, "ftypavi"sv, {"an AVIF image", Family::image, Reason::heif}},
    Mark{4, "ftyphei"sv, {"a HEIC image", Family::image, Reason::heif}},
    Mark{4, "ftyphev"sv, {"a HEIC image", Family::image, Reason::heif}},
    Mark{4, "ftypmif1"sv, {"a HEIF image (HEIC or AVIF)", Family::image, Reason::heif}},
    Mark{4, "ftypmsf1"sv, {"a HEIF image (HEIC or AVIF)", Family::image, Reason::heif}},
    Mark{0, "\0\0\1\0"sv, {"an icon (ICO)", Family::image, Reason::other_image}},
    Mark{0, "8BPS"sv, {"a Photoshop image", Family::image, Reason::other_image}},
    Mark{0, "P5\n"sv, {"a PGM image", Family::image, Reason::other_image}},
    Mark{0, "P6\n"sv, {"a PPM image", Family::image, Reason::other_image}},
    Mark{0, "qoif"sv, {"a QOI image", Family::image, Reason::other_image}},
    Mark{0, "\x76\x2F\x31\x01"sv, {"an OpenEXR image", Family::image, Reason::other_image}},
    Mark{128, "DICM"sv, {"a DICOM image", Family::image, Reason::other_image}},
    Mark{0,
         "\0\5\x16\7"sv,
         {"a file of macOS's attributes (AppleDouble), no image", Family::document, Reason::attributes}},
    Mark{0, "%PDF-"sv, {"a PDF document", Family::document}},
    Mark{0, "{\\rtf"sv, {"a document (RTF)", Family::document}},
    Mark{0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, {"an old Office document (.xls, .doc)", Family::document}},
    Mark{0, "\x1F\x8B"sv, {"a gzip file", Family::archive}},
    Mark{0,
         "\xFD"
         "7zXZ\0"sv,
         {"an xz file", Family::archive}},
    Mark{0, "BZh"sv, {"a bzip2 file", Family::archive}},
    Mark{0, "\x28\xB5\x2F\xFD"sv, {"a zstd file", Family::archive}},
    Mark{0, "\x04\x22\x4D\x18"sv, {"an lz4 file", Family::archive}},
    Mark{0, "7z\xBC\xAF\x27\x1C"sv, {"a 7z archive", Family::archive}},
    Mark{0, "Rar!\x1A\7"sv, {"a RAR archive", Family::archive}},
    Mark{257, "ustar"sv, {"a tar archive", Family::archive}},
    Mark{0, "\x93NUMPY"sv, {"a NumPy array (.npy)", Family::array}},
    Mark{0, "MATLAB 5.0 MAT-file"sv, {"a MATLAB file", Family::array}},
    Mark{0, "\x89HDF\r\n\x1A\n"sv, {"an HDF5 file", Family::array}},
    Mark{0, "CDF\1"sv, {"a netCDF file", Family::array}},
    Mark{0, "CDF\2"sv, {"a netCDF file", Family::array}},
    Mark{0, "\0\0\x08\1"sv, {"an idx file of labels, as MNIST has them", Family::array}},
    Mark{0, "\0\0\x08\3"sv, {"an idx file of images, as MNIST has them", Family::array}},
    Mark{0, "\0\0\x08\4"sv, {"an idx file of images", Family::array}},
    Mark{0, "PAR1"sv, {"a Parquet file", Family::table}},
    Mark{0, "ARROW1"sv, {"an Arrow file", Family::table}},
    Mark{0, "FEA1"sv, {"a Feather file", Family::table}},
    Mark{0, "ORC"sv, {"an ORC file", Family::table}},
    Mark{16, "\xDE\xC0\xEF\xBE"sv, {"an LMDB database", Family::database}},
    Mark{0, "SQLite format 3\0"sv, {"an SQLite database", Family::database}},
    Mark{0, "\x0A\x23\xD7\xCE"sv, {"an MXNet RecordIO file", Family::records}},
    Mark{0, "\x1A\x45\xDF\xA3"sv, {"a video (Matroska, WebM)", Family::video}},
    Mark{8, "AVI LIST"sv, {"a video (AVI)", Family::video}},
    Mark{4, "ftyp"sv, {"a video (MP4, QuickTime)", Family::video}},
};

struct NamedKind {
  std::string_view suffix;
  FileKind kind;
};

constexpr std::array kNames{
    NamedKind{".arrow", {"an Arrow stream, as Hugging Face's datasets keep it", Family::table}},
    NamedKind{".tfrecord", {"a TFRecord file", Family::records}},
    NamedKind{".tfrecords", {"a TFRecord file", Family::records}},
    NamedKind{".beton", {"an FFCV file", Family::records}},
    NamedKind{".rec", {"an MXNet RecordIO file", Family::records}},
    NamedKind{".pkl", {"a Python pickle", Family::pickle}},
    NamedKind{".json", {"a JSON file", Family::text}},
    NamedKind{".jsonl", {"a JSON file", Family::text}},
    NamedKind{".xml", {"an XML file", Family::text}},
    NamedKind{".yaml", {"a YAML file", Family::text}},
};

std::string_view start_of(std::span<const std::byte> start) {
  return {reinterpret_cast<const char*>(start.data()), std::min(start.size(), kKindBytes)};
}

/// Kind of a zip by the name of its first file: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
std::optional<FileKind> kind_of_zip(std::string_view bytes) {
  constexpr std::size_t kName = 30;
  if (!bytes.starts_with("PK\3\4")) return std::nullopt;
  const std::string_view name = bytes.substr(std::min(kName, bytes.size()), 256);
  const auto within = [&](std::string_view word) { return name.find(word) < 64; };
  if (within("[Content_Types].xml") || within("mimetype")) {
    return FileKind{"a workbook or document (.xlsx, .ods, .docx)", Family::document};
  }
  if (within(".npy")) return FileKind{"a file of NumPy arrays (.npz)", Family::array};
  if (within("data.pkl")) return FileKind{"a PyTorch file", Family::pickle};
  return FileKind{"a zip archive", Family::archive};
}

/// Kind of Python's `pickle`: from protocol 2 on it begins with the protocol's number and, from 4 on, a
/// frame.
std::optional<FileKind> kind_of_pickle(std::string_view bytes) {
  constexpr FileKind kPickle{"a Python pickle", Family::pickle};
  if (bytes.size() < 3 || bytes[0] != '\x80' || bytes[1] < 2 || bytes[1] > 5) return std::nullopt;
  if (bytes[1] >= 4) return bytes[2] == '\x95' ? std::optional(kPickle) : std::nullopt;
  return "}](c\x8A"sv.find(bytes[2]) == std::string_view::npos ? std::nullopt : std::optional(kPickle);
}

/// Kind of a BMP: "BM", and the size of its second header.
std::optional<FileKind> kind_of_bmp(std::string_view bytes) {
  constexpr std::size_t kSize = 14;
  constexpr std::array<char, 6> kSizes{12, 40, 52, 56, 108, 124};
  if (bytes.size() < kSize + 4 || !bytes.starts_with("BM")) return std::nullopt;
  const bool known = std::ranges::find(kSizes, bytes[kSize]) != kSizes.end() && bytes[kSize + 1] == '\0';
  return known ? std::optional(FileKind{"a BMP image", Family::image, Reason::bmp}) : std::nullopt;
}

std::optional<FileKind> kind_of_text(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  bytes.remove_prefix(std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size()));
  const std::string text = lower(bytes);
  if (text.starts_with("version https://git-lfs")) {
    return FileKind{"a pointer of Git LFS, not the file itself (git lfs pull fetches it)", Family::text,
                    Reason::lfs_pointer};
  }
  if (text.starts_with("<!doctype html") || text.starts_with("<html")) {
    return FileKind{"an HTML page, perhaps that of an error or a login while it was downloaded", Family::text,
                    Reason::web_page};
  }
  if (text.starts_with("<svg") || (text.starts_with("<?xml") && text.find("<svg") != std::string::npos)) {
    return FileKind{"an SVG drawing", Family::image, Reason::other_image};
  }
  if (text.starts_with("<?xml"))
    return FileKind{"an XML file, perhaps a server's error", Family::text, Reason::web_page};
  return std::nullopt;
}

}  // namespace

std::optional<FileKind> kind_of(std::span<const std::byte> start) {
  if (const Codec* codec = find_codec(codecs_in_use(), start)) {
    return FileKind{codec->kind, Family::image, Reason::not_an_image, true};
  }
  const std::string_view bytes = start_of(start);
  for (const Mark& mark : kMarks) {
    if (bytes.size() > mark.at && bytes.substr(mark.at).starts_with(mark.bytes)) return mark.kind;
  }
  for (const auto& look : {kind_of_zip, kind_of_pickle, kind_of_bmp, kind_of_text}) {
    if (const auto kind = look(bytes)) return kind;
  }
  return std::nullopt;
}

std::optional<FileKind> kind_of_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  std::string bytes(kKindBytes, '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  if (const auto kind = kind_of(std::as_bytes(std::span(bytes)))) return kind;
  const std::string name = lower(path);
  const auto known =
      std::ranges::find_if(kNames, [&](const NamedKind& named) { return name.ends_with(named.suffix); });
  return known != kNames.end() ? std::optional(known->kind) : std::nullopt;
}

bool is_binary(std::string_view start) {
  return std::ranges::any_of(start.substr(0, kKindBytes), [](char c) {
    return (c >= 0 && c < '\t') || (c > '\r' && c < ' ' && c != '\x1B');
  });
}

std::string way_on(KindFamily family) {
  switch (family) {
    case Family::image:
      return fmt::format(
          "give a folder of {} images, or a list of them; images of other kinds are converted by "
          "`mogrify -format png` of ImageMagick, or by Pillow",
          image_formats());
    case Family::archive:
      return "unpack it, and give the folder, or the .tar of WebDataset's samples, that comes out";
    case Family::array:
    case Family::pickle:
      return "write its arrays to HDF5 in Python: `with h5py.File('data.h5', 'w') as f: f['images'] = "
             "images; "
             "f['labels'] = labels`, with images uint8 [N, H, W, C]";
    case Family::table:
    case Family::database:
    case Family::records:
      return "write its images out as files (a folder for each class) or as tar shards with "
             "`webdataset.ShardWriter`, in Python";
    case Family::video:
      return "write its frames out as images, for example with `ffmpeg -i FILE frames/%06d.png`";
    case Family::text:
    case Family::document:
      break;
  }
  return "give a folder of images, a list of them as CSV, tar shards, or an HDF5 file";
}

}  // namespace polyhead::image
