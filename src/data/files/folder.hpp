#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <sys/types.h>

#include "polyhead/base/unique_handle.hpp"
#include "stamp.hpp"

namespace polyhead::data {

struct FolderTraits {
  using type = DIR*;
  static DIR* invalid() { return nullptr; }
  static void close(DIR* folder) noexcept { ::closedir(folder); }
};

/// Names in one folder, in the file system's order; the files themselves are not examined.
class Folder {
 public:
  struct Item {
    std::string_view name;   ///< valid until the next call of `next`
    bool is_folder = false;  ///< a folder or a link to one
  };

  /// Throws Error(no_input) that names it.
  explicit Folder(std::string path);
  /// Next item, without "." and "..". Throws Error(io_error).
  std::optional<Item> next();

  [[nodiscard]] Stamp stamp() const { return stamp_; }
  /// Device and inode: equal for all paths that lead here.
  [[nodiscard]] std::pair<dev_t, ino_t> identity() const { return identity_; }

 private:
  [[nodiscard]] bool is_folder(const dirent& item) const;

  std::string path_;
  UniqueHandle<FolderTraits> folder_;
  Stamp stamp_;
  std::pair<dev_t, ino_t> identity_;
};

}  // namespace polyhead::data
