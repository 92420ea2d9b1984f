#include "disk_space.hpp"

#include <sys/statvfs.h>

namespace polyhead::store {

std::optional<std::uint64_t> free_bytes(const std::filesystem::path& file) {
  struct statvfs disk {};
  if (::statvfs(file.has_parent_path() ? file.parent_path().c_str() : ".", &disk) != 0) return std::nullopt;
  if (disk.f_blocks == 0) return std::nullopt;
  return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

}  // namespace polyhead::store
