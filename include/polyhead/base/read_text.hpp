#pragma once

#include <filesystem>
#include <string>

namespace polyhead {

/// All of a small file, as those of /proc and /sys; empty where it cannot be read.
std::string read_text(const std::filesystem::path& file);

}  // namespace polyhead
