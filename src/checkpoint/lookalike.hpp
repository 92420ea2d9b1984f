#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace polyhead::checkpoint {

/// Kind of a file that holds no weights, by its first 512 bytes, and a remedy: "is an ONNX file: ...".
std::string describe_file(const std::filesystem::path& path, std::string_view start);

/// Kind of a zip file that torch.save did not write, by the names of its entries, and a remedy.
std::string describe_zip(const std::vector<std::string>& names);

/// Advice for a folder where a file should be: which file in it may be meant.
std::string describe_folder(const std::filesystem::path& folder);

}  // namespace polyhead::checkpoint
