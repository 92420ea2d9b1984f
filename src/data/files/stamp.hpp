#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/stat.h>

namespace polyhead::data {

/// Tells whether a file or folder has changed since it was looked at.
struct Stamp {
  std::uint64_t size = 0;    ///< 0 for folders: theirs says nothing
  std::int64_t changed = 0;  ///< time of the last change, nanoseconds
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

Stamp stamp_of(const struct stat& status);
/// Nothing when it is gone.
std::optional<Stamp> stamp_of(const std::string& path);
/// Whether `settled` has made it one that never matches.
bool never_matches(Stamp stamp);
/// What to keep for something that is about to be read. A change within the last two seconds could be
/// followed by one that the file system's clock cannot tell from it: such a stamp becomes one that never
/// matches.
Stamp settled(Stamp stamp);

}  // namespace polyhead::data
