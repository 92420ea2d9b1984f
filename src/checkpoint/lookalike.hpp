#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace polyhead::checkpoint {

/// What a file that is no weights file is, by its first 512 bytes, and the way on: "is an ONNX file: ...".
std::string describe_file(const std::filesystem::path& path, std::string_view start);

/// The same for a zip file that is not one of torch.save, by the names of its entries.
std::string describe_zip(const std::vector<std::string>& names);

/// What to do with a folder where a file should be: which file in it may be meant.
std::string describe_folder(const std::filesystem::path& folder);

}  // namespace polyhead::checkpoint
