#include "folder.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "polyhead/base/error.hpp"

namespace polyhead::data {

Folder::Folder(std::string path) : path_(std::move(path)), folder_(::opendir(path_.c_str())) {
  struct stat status {};
  if (!folder_ || ::fstat(::dirfd(folder_.get()), &status) != 0) {
    throw Error(ExitCode::no_input,
                fmt::format("{}: this folder cannot be read: {}", path_, std::strerror(errno)));
  }
  stamp_ = stamp_of(status);
  identity_ = {status.st_dev, status.st_ino};
}

std::optional<Folder::Item> Folder::next() {
  while (true) {
    errno = 0;
    const dirent* item = ::readdir(folder_.get());
    if (item == nullptr && errno == 0) return std::nullopt;
    if (item == nullptr) {
      throw Error(ExitCode::io_error,
                  fmt::format("{}: reading this folder failed: {}", path_, std::strerror(errno)));
    }
    const std::string_view name = item->d_name;
    if (name != "." && name != "..") return Item{name, is_folder(*item)};
  }
}

bool Folder::is_folder(const dirent& item) const {
  if (item.d_type != DT_LNK && item.d_type != DT_UNKNOWN) return item.d_type == DT_DIR;
  struct stat status {};
  return ::fstatat(::dirfd(folder_.get()), item.d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace polyhead::data
