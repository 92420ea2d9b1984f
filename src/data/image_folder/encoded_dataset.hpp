#pragma once

#include <filesystem>
#include <memory>

#include "polyhead/config/config.hpp"
#include "polyhead/data/dataset.hpp"

namespace polyhead::data {

/// A folder of images as torchvision's `ImageFolder` sees it, or a manifest of images. Throws Error
/// (no_input, bad_data, config, cant_create).
std::unique_ptr<Dataset> open_image_folder(const config::Data& config, const std::filesystem::path& index);

/// WebDataset shards. Throws the same.
std::unique_ptr<Dataset> open_webdataset(const config::Data& config, const std::filesystem::path& index);

}  // namespace polyhead::data
