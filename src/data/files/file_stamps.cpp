#include "file_stamps.hpp"

#include <cerrno>
#include <cstdint>

#include <sys/stat.h>

#include "stamp.hpp"

namespace polyhead::data {

bool add_file_stamp(Hasher& hasher, const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    hasher.update(std::int64_t{-1});
    return errno == ENOENT || errno == ENOTDIR;
  }
  const Stamp stamp = settled(stamp_of(status));
  hasher.update(static_cast<std::int64_t>(stamp.size)).update(stamp.changed);
  return !never_matches(stamp);
}

std::optional<Digest> file_stamps(std::span<const std::string> paths) {
  Hasher hasher;
  for (const std::string& path : paths) {
    if (!add_file_stamp(hasher, path)) return std::nullopt;
  }
  return hasher.digest();
}

}  // namespace polyhead::data
