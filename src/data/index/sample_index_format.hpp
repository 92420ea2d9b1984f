#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "polyhead/base/digest.hpp"

namespace polyhead::data::index_format {

/// The file: header, `samples` entries, `files` file records, `classes` text positions, texts. A text is
/// given by its position among the texts and ends with NUL, as does the whole file. Native byte order: the
/// file is a cache of one machine, not for exchange.
inline constexpr std::uint64_t kMagic = 0x0A58'4449'4850'0DFF;  // "PHIDX" and bytes that no text file has
inline constexpr std::uint64_t kVersion = 4;

struct Header {
  std::uint64_t magic;
  std::uint64_t version;
  std::uint64_t bytes;  ///< bytes of the whole file
  std::uint64_t samples;
  std::uint64_t files;
  std::uint64_t classes;
  std::uint64_t labelled;  ///< samples with a label
  std::uint64_t source;    ///< position of a text: what was indexed
  std::uint64_t notes;     ///< position of a text: warnings, one per line
  Digest digest;
  Digest places;
  Digest checksum;  ///< digest of the header up to here
};

struct FileRecord {
  std::uint64_t path;    ///< position of a text
  std::uint64_t prefix;  ///< position of a text
  std::uint64_t size;    ///< size in its stamp
  std::int64_t changed;  ///< time of change in its stamp
};

inline Digest checksum_of(const Header& header) {
  return Hasher().update(std::as_bytes(std::span(&header, 1)).first(offsetof(Header, checksum))).digest();
}

}  // namespace polyhead::data::index_format
