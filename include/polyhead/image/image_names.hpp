#pragma once

#include <string>
#include <string_view>

namespace polyhead::image {

/// "JPEG and PNG": the formats that are read.
std::string image_formats();
/// ".jpg, .jpeg or .png": how the names of images that are read end, each behind `stem`.
std::string image_suffixes(std::string_view stem = "");
/// ".jpg, .jpeg, .png": the same as the beginning of a longer list.
std::string image_suffix_list();

/// Upper-case ASCII letters become lower-case ones.
std::string lower(std::string_view text);
/// Whether the suffix, in lower case and with its dot, is that of images that are read.
bool is_image_suffix(std::string_view suffix);
/// Whether the name ends like that of an image that is read, in any case.
bool is_image_name(std::string_view name);
/// Whether it ends like that of an image of another kind, in any case; torchvision reads some of them.
bool is_foreign_image_name(std::string_view name);

}  // namespace polyhead::image
