#include "data_folder.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "polyhead/base/error.hpp"

namespace polyhead::data {
namespace {

/// Folder of the data: paths in a manifest start from data.root or from the manifest's own folder.
std::filesystem::path folder_of(const config::Data& data) {
  if (!data.root.empty()) return data.root;
  std::error_code ignored;
  return std::filesystem::is_directory(data.path, ignored) ? data.path : data.path.parent_path();
}

}  // namespace

DataFolder::DataFolder(const config::Data& data) : folder_(folder_of(data)), at_first_(file_system()) {}

void DataFolder::check() const {
  const auto now = file_system();
  if (now == at_first_) return;
  throw Error(ExitCode::io_error, fmt::format("{}: {} while the run was reading from it", folder_.string(),
                                              now ? "another file system was mounted there or taken away"
                                                  : "the folder has gone"));
}

/// Device number only: a network file system may number its files anew.
std::optional<dev_t> DataFolder::file_system() const {
  struct stat status {};
  if (::stat(folder_.c_str(), &status) != 0) return std::nullopt;
  return status.st_dev;
}

}  // namespace polyhead::data
