#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/stat.h>

namespace polyhead::data {

/// Tells whether a file or folder has changed since its stamp was taken.
struct Stamp {
  std::uint64_t size = 0;    ///< bytes; 0 for folders, whose size says nothing
  std::int64_t changed = 0;  ///< time of the last change, nanoseconds
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

Stamp stamp_of(const struct stat& status);
/// Stamp of the path; nothing when it is gone.
std::optional<Stamp> stamp_of(const std::string& path);
/// Whether `settled` has made it one that never matches.
bool never_matches(Stamp stamp);
/// Stamp to keep for a file or folder that is about to be read. Within two seconds of a change, the file
/// system's clock may not separate a later change from it. Such a stamp becomes one that never matches.
Stamp settled(Stamp stamp);

}  // namespace polyhead::data
