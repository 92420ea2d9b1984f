#pragma once

#include <string>

#include "data/index/sample_index_builder.hpp"

namespace polyhead::data {

/// Lists the images of a folder in the order of torchvision's `ImageFolder`: a sub-folder is a class. A
/// folder with images, and no images in sub-folders, is a data set without labels. Throws Error (no_input,
/// bad_data).
void scan_image_folder(const std::string& folder, SampleIndexBuilder& samples);

}  // namespace polyhead::data
