#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace polyhead::config {

/// What keeps this process from reading `path` as a file, if anything, with a near name in its folder: "no
/// such file '/a/x.pth'; did you mean 'y.pth'?". `suggest`: whether to look for one, which reads the folder.
std::optional<std::string> problem_of_file(const std::filesystem::path& path, bool suggest = true);

/// The folder that is missing when `path` is because of it; else empty.
std::filesystem::path missing_folder(const std::filesystem::path& path);

/// The same as `problem_of_file` for a data set, which may be a file, a folder, or a pattern of shards;
/// patterns are left to their reader.
std::optional<std::string> problem_of_data(const std::filesystem::path& path);

}  // namespace polyhead::config
