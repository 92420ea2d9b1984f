#pragma once

#include <string>
#include <string_view>

namespace polyhead::image {

/// What the formats that are read are called, for messages.
inline constexpr std::string_view kImageSuffixes = ".jpg, .jpeg or .png";

/// Upper-case ASCII letters become lower-case ones.
std::string lower(std::string_view text);
/// Whether the name ends like a JPEG's or PNG's, in any case.
bool is_image_name(std::string_view name);
/// Whether it ends like that of an image of another kind, in any case; torchvision reads some of them.
bool is_foreign_image_name(std::string_view name);

}  // namespace polyhead::image
