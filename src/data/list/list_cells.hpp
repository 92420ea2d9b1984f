#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace polyhead::data {

/// Cells of one line of a list.
using Cells = std::vector<std::string>;

/// Text without surrounding blanks and tabs.
std::string_view trimmed(std::string_view text);
/// Words of the cell in lower case, joined by single underscores. "File Name" becomes "file_name", and
/// "fileName" becomes "filename".
std::string plain_name(std::string_view cell);
/// Whether a column of this name usually holds paths of images.
bool names_paths(std::string_view cell);
/// Whether a column of this name usually holds labels.
bool names_labels(std::string_view cell);
/// Whether the cell reads as a path or a file's name, and so hardly as a column's name.
bool looks_like_file(std::string_view cell);
/// Path and label of a line in which a blank separates them: "a b.jpg 3", as in ImageNet's and Caffe's lists.
/// Nothing when the line does not read like that.
std::optional<std::pair<std::string, std::string>> split_at_space(std::string_view line);

}  // namespace polyhead::data
