#pragma once

#include <filesystem>
#include <optional>

#include <sys/types.h>

#include "polyhead/config/config.hpp"

namespace polyhead::data {

/// Folder that holds a data set's files. A file that is missing there is the sample's fault. A folder that
/// has gone, with a mount or a disk, is not: its samples then do not count as missing.
class DataFolder {
 public:
  explicit DataFolder(const config::Data& data);
  /// Throws Error(io_error) when the folder is gone or its file system is not the first one.
  void check() const;

 private:
  [[nodiscard]] std::optional<dev_t> file_system() const;

  std::filesystem::path folder_;
  std::optional<dev_t> at_first_;
};

}  // namespace polyhead::data
