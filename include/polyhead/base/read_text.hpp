#pragma once

#include <filesystem>
#include <string>

namespace polyhead {

/// Whole text of a small file, such as those of /proc and /sys; empty where it cannot be read.
std::string read_text(const std::filesystem::path& file);

}  // namespace polyhead
