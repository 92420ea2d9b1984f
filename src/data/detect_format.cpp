#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>

#include "data/files/folder.hpp"
#include "format_table.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/data/dataset.hpp"
#include "polyhead/image/file_kind.hpp"

namespace polyhead::data {
namespace {

using config::DataFormat;

/// Format of the first row that a file's name marks. Folders without such a file are folders of images.
DataFormat format_of_folder(const std::string& path) {
  std::size_t best = formats().size();
  Folder folder(path);
  while (const auto item = folder.next()) {
    if (item->is_folder) continue;
    for (std::size_t i = 0; i < best; ++i) {
      const auto marks = formats()[i].marks_folder;
      if (marks != nullptr && marks(item->name)) best = i;
    }
    if (best == 0) break;
  }
  return best < formats().size() ? formats()[best].format : DataFormat::image_folder;
}

/// Text such as "an HDF5 file, ..., or CIFAR's binary files". The most likely format comes first; it is last
/// in the table.
std::string known_looks() {
  std::string text;
  for (auto format = formats().rbegin(); format != formats().rend(); ++format) {
    const bool last = &*format == &formats().front();
    if (!format->looks.empty())
      text += fmt::format("{}{}{}", text.empty() ? "" : ", ", last ? "or " : "", format->looks);
  }
  return text;
}

/// Names in the order of `data.format`'s words.
std::string known_names() {
  std::vector<DataFormat> known;
  for (const Format& format : formats()) known.push_back(format.format);
  std::ranges::sort(known);
  std::vector<std::string> names;
  for (const DataFormat format : known) names.emplace_back(config::name(format));
  return join(names);
}

DataFormat format_of_file(const std::string& path, std::int64_t size) {
  for (const Format& format : formats()) {
    if (format.is_file != nullptr && format.is_file(path, size)) return format.format;
  }
  if (const auto kind = image::kind_of_file(path)) {
    throw Error(ExitCode::bad_data,
                fmt::format("data.path: {}: this is {}, which polyhead does not read as a "
                            "data set: {}",
                            path, kind->name, image::way_on(kind->family)));
  }
  throw Error(
      ExitCode::bad_data,
      fmt::format("data.path: {}: this is no data set that is known by sight; expected {}; data.format "
                  "({}) says which it is",
                  path, known_looks(), known_names()));
}

/// Nearest name in the parent folder.
std::optional<std::string> nearest_name(const std::string& path) {
  constexpr std::size_t kMaxNames = 10'000;
  const std::filesystem::path missing = path;
  const auto parent = missing.has_parent_path() ? missing.parent_path() : std::filesystem::path(".");
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator item(parent, error), end; !error && item != end;
       item.increment(error)) {
    names.push_back(item->path().filename().native());
    if (names.size() == kMaxNames) break;
  }
  return closest(missing.filename().native(), names);
}

}  // namespace

config::DataFormat detect_format(const config::Data& config) {
  const std::string& path = config.path.native();
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    return S_ISDIR(status.st_mode) ? format_of_folder(path) : format_of_file(path, status.st_size);
  }
  const int error = errno;
  for (const Format& format : formats()) {
    if (format.is_pattern != nullptr && format.is_pattern(path)) return format.format;
  }
  const auto near = nearest_name(path);
  throw Error(ExitCode::no_input, fmt::format("data.path: {}: {}{}", path, std::strerror(error),
                                              near ? fmt::format("; did you mean '{}'?", *near) : ""));
}

}  // namespace polyhead::data
