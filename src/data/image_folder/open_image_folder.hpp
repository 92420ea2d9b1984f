#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "polyhead/config/config.hpp"
#include "polyhead/data/dataset.hpp"

namespace polyhead::data {

/// A folder of images as torchvision's `ImageFolder` sees it, or a manifest of images. Throws Error
/// (no_input, bad_data, config, cant_create).
std::unique_ptr<Dataset> open_image_folder(const config::Data& config, const std::filesystem::path& index);
/// Whether the file is named like a manifest.
bool is_manifest_file(const std::string& path, std::int64_t size);

}  // namespace polyhead::data
