#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace polyhead::data {

/// The cells of one line of a list.
using Cells = std::vector<std::string>;

/// Without blanks and tabs around it.
std::string_view trimmed(std::string_view text);
/// The same words in lower case with single underscores: "File Name" and "fileName" stay "file_name" and
/// "filename".
std::string plain_name(std::string_view cell);
/// Whether a column of this name holds paths of images in lists as people have them.
bool names_paths(std::string_view cell);
/// The same for labels.
bool names_labels(std::string_view cell);
/// Whether it reads as a path or a file's name, and so hardly as the name of a column.
bool looks_like_file(std::string_view cell);
/// "a b.jpg 3": path and label of a line in which a blank sets off the label, as in ImageNet's and Caffe's
/// lists; nothing when the line does not read like that.
std::optional<std::pair<std::string, std::string>> split_at_space(std::string_view line);

}  // namespace polyhead::data
