#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace polyhead::config {

/// Reason why this process cannot read `path` as a file, if any: "no such file '/a/x.pth'; did you mean
/// 'y.pth'?". `suggest`: whether to look for a similar name, which reads the folder.
std::optional<std::string> problem_of_file(const std::filesystem::path& path, bool suggest = true);

/// Folder whose absence makes `path` missing; else empty.
std::filesystem::path missing_folder(const std::filesystem::path& path);

/// Like `problem_of_file`, for a data set: a file, a folder, or a pattern of shards. Patterns are left to
/// their reader.
std::optional<std::string> problem_of_data(const std::filesystem::path& path);

}  // namespace polyhead::config
