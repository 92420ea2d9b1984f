#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>

#include "data/cifar/cifar_file.hpp"
#include "data/files/folder.hpp"
#include "data/list/manifest.hpp"
#include "data/webdataset/shard_paths.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/data/dataset.hpp"
#include "polyhead/image/file_kind.hpp"
#include "polyhead/image/image_names.hpp"

namespace polyhead::data {
namespace {

using config::DataFormat;

bool is_hdf5(const std::string& path) {
  const std::string name = image::lower(path);
  constexpr std::array<std::string_view, 4> kSuffixes{".h5", ".hdf5", ".hdf", ".he5"};
  if (std::ranges::any_of(kSuffixes, [&](std::string_view suffix) { return name.ends_with(suffix); }))
    return true;
  constexpr std::string_view kSignature = "\x89HDF\r\n\x1A\n";
  std::array<char, kSignature.size()> start{};
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  return std::string_view(start.data(), start.size()) == kSignature;
}

bool is_cifar10(std::string_view path, std::int64_t size) {
  const std::int64_t row = 1 + CifarFile::kShape.values();
  const std::string_view name = path.substr(path.find_last_of('/') + 1);
  return name.ends_with(".bin") && name.find("batch") != std::string_view::npos && size > 0 &&
         size % row == 0;
}

DataFormat format_of_folder(const std::string& path) {
  bool shards = false;
  Folder folder(path);
  while (const auto item = folder.next()) {
    if (item->is_folder) continue;
    if (item->name == "test_batch.bin") return DataFormat::cifar10;
    if (item->name == "test.bin") return DataFormat::cifar100;
    shards = shards || is_shard_name(item->name);
  }
  return shards ? DataFormat::webdataset : DataFormat::image_folder;
}

DataFormat format_of_file(const std::string& path, std::int64_t size) {
  if (is_shard_name(path)) return DataFormat::webdataset;
  if (is_manifest_name(path)) return DataFormat::image_folder;
  if (is_cifar10(path, size)) return DataFormat::cifar10;
  if (is_hdf5(path)) return DataFormat::hdf5;
  if (const auto kind = image::kind_of_file(path)) {
    throw Error(ExitCode::bad_data,
                fmt::format("data.path: {}: this is {}, which polyhead does not read as a "
                            "data set: {}",
                            path, kind->name, image::way_on(kind->family)));
  }
  throw Error(
      ExitCode::bad_data,
      fmt::format("data.path: {}: this is no data set that is known by sight; expected an HDF5 file, a "
                  "folder of images, a manifest (.csv, .tsv, .txt), tar shards (WebDataset), or "
                  "CIFAR's binary files; data.format (image-folder, webdataset, cifar10, cifar100, "
                  "hdf5) says which it is",
                  path));
}

/// What the folder holds instead.
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
  if (path.find('{') != std::string::npos) return DataFormat::webdataset;
  const auto near = nearest_name(path);
  throw Error(ExitCode::no_input, fmt::format("data.path: {}: {}{}", path, std::strerror(error),
                                              near ? fmt::format("; did you mean '{}'?", *near) : ""));
}

}  // namespace polyhead::data
