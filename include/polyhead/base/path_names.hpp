#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace polyhead {

/// Names of files from the part of their paths in which they differ: fold0 and fold1 for fold0/best.pt and
/// fold1/best.pt. The whole paths where no part names all apart.
std::vector<std::string> differing_parts(const std::vector<std::filesystem::path>& files);

}  // namespace polyhead
