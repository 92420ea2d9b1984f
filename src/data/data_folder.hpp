#pragma once

#include <filesystem>
#include <optional>

#include <sys/types.h>

#include "polyhead/config/config.hpp"

namespace polyhead::data {

/// The folder below which a data set's files lie. A file that is missing there is the sample's fault; a
/// folder that has gone, with a mount or a disk, is not: nobody may call its samples missing then.
class DataFolder {
 public:
  explicit DataFolder(const config::Data& data);
  /// Throws Error(io_error) when the folder is gone or another file system than at first is there.
  void check() const;

 private:
  [[nodiscard]] std::optional<dev_t> file_system() const;

  std::filesystem::path folder_;
  std::optional<dev_t> at_first_;
};

}  // namespace polyhead::data
