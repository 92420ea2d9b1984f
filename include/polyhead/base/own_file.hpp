#pragma once

#include <filesystem>
#include <string_view>

namespace polyhead {

/// Whether polyhead may write a file at this path: nothing is there, or an empty file, or one that begins
/// like polyhead's own. Foreign files are never overwritten.
bool may_write_over(const std::filesystem::path& path, std::string_view own_beginning);

}  // namespace polyhead
