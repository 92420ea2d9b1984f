#pragma once

#include <filesystem>
#include <string_view>

namespace polyhead {

/// Whether a file that polyhead is told to write may take this place: nothing is there, or an empty file, or
/// one that begins as polyhead's own do. Nobody else's file is ever written over.
bool may_write_over(const std::filesystem::path& path, std::string_view own_beginning);

}  // namespace polyhead
