#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace polyhead::data {

/// `path` without ".", ".." and doubled slashes, relative to the absolute folder `root`; nothing when it
/// leads out of it or is the root itself. Links are not followed.
std::optional<std::string> relative_path(std::string_view root, std::string_view path);

/// Absolute path without a slash at the end; bytes stay as they are.
std::string absolute_text(const std::filesystem::path& path);

}  // namespace polyhead::data
