#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "polyhead/base/sample.hpp"

namespace polyhead::image {

/// What people do with files of a kind, and so what can be done to have them evaluated.
enum class KindFamily { image, text, document, archive, array, table, database, pickle, records, video };

/// What a file is, by its first bytes or its name.
struct FileKind {
  std::string_view name;  ///< with its article: "a WebP image"
  KindFamily family = KindFamily::document;
  Reason reason = Reason::other_kind;  ///< why a sample of this kind is quarantined
  bool is_read = false;                ///< whether it is an image of a format that is read
};

/// How many of a file's first bytes `kind_of` looks at.
inline constexpr std::size_t kKindBytes = 512;

/// Nothing for kinds that are not known; images that are read, HDF5 and tar are.
std::optional<FileKind> kind_of(std::span<const std::byte> start);
/// The same of a file: by its first bytes, else by its name for kinds without a mark. Nothing, too, for what
/// cannot be read.
std::optional<FileKind> kind_of_file(const std::string& path);
/// Whether the bytes cannot be text.
bool is_binary(std::string_view start);
/// "unpack it and ...": how a data set of this kind comes to be read.
std::string way_on(KindFamily family);

}  // namespace polyhead::image
