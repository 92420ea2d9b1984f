#pragma once

#include <string>
#include <string_view>

namespace polyhead::image {

/// Formats that are read: "JPEG and PNG".
std::string image_formats();
/// Suffixes of images that are read, each after `stem`: ".jpg, .jpeg or .png".
std::string image_suffixes(std::string_view stem = "");
/// Suffixes as the beginning of a longer list: ".jpg, .jpeg, .png".
std::string image_suffix_list();

/// Text with its upper-case ASCII letters in lower case.
std::string lower(std::string_view text);
/// Whether the suffix, in lower case and with its dot, belongs to images that are read.
bool is_image_suffix(std::string_view suffix);
/// Whether the name ends like that of an image that is read, in any case.
bool is_image_name(std::string_view name);
/// Whether the name ends like that of an image of another kind, in any case; torchvision reads some of them.
bool is_foreign_image_name(std::string_view name);

}  // namespace polyhead::image
