#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "polyhead/base/sample.hpp"

namespace polyhead::image {

/// Families of file kinds, by which the user is told how to have them evaluated.
enum class KindFamily { image, text, document, archive, array, table, database, pickle, records, video };

/// Kind of a file, by its first bytes or its name.
struct FileKind {
  std::string_view name;  ///< with its article: "a WebP image"
  KindFamily family = KindFamily::document;
  Reason reason = Reason::other_kind;  ///< why a sample of this kind is quarantined
  bool is_read = false;                ///< whether it is an image of a format that is read
};

/// Number of a file's first bytes that `kind_of` reads.
inline constexpr std::size_t kKindBytes = 512;

/// Kind of a file with this start; nothing for unknown kinds. Known kinds include images that are read, HDF5
/// and tar.
std::optional<FileKind> kind_of(std::span<const std::byte> start);
/// Kind of a file: by its first bytes, else by its name for kinds without a mark. Nothing, too, for a file
/// that cannot be read.
std::optional<FileKind> kind_of_file(const std::string& path);
/// Whether the bytes cannot be text.
bool is_binary(std::string_view start);
/// Way to have a data set of this kind read: "unpack it and ...".
std::string way_on(KindFamily family);

}  // namespace polyhead::image
