#pragma once

#include <filesystem>
#include <string>

namespace polyhead::store {

/// Describes a file under an output's name that is no result, for a message: "a folder", "an HDF5 file of
/// another program".
std::string describe_stranger(const std::filesystem::path& output);

}  // namespace polyhead::store
