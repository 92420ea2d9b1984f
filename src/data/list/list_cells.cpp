#include "list_cells.hpp"

#include <algorithm>
#include <array>

#include "list_labels.hpp"
#include "polyhead/image/image_names.hpp"

namespace polyhead::data {
namespace {

/// Cell without pandas' copy number: pandas calls a second column of the name "label.1".
std::string_view without_copy_number(std::string_view cell) {
  const std::size_t end = cell.find_last_not_of("0123456789");
  return end != std::string_view::npos && end > 0 && end + 1 < cell.size() && cell[end] == '.'
             ? cell.substr(0, end)
             : cell;
}

template <std::size_t N>
bool is_one_of(std::string_view cell, const std::array<std::string_view, N>& names) {
  return std::ranges::find(names, plain_name(without_copy_number(trimmed(cell)))) != names.end();
}

bool is_number(std::string_view cell) {
  const LabelKind kind = read_label(cell).kind;
  return kind == LabelKind::number || kind == LabelKind::out_of_range;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

std::string plain_name(std::string_view cell) {
  std::string name;
  for (const char c : image::lower(trimmed(cell))) {
    const bool gap = c == ' ' || c == '-' || c == '_' || c == '.';
    if (!gap) name += c;
    if (gap && !name.ends_with('_')) name += '_';
  }
  return name;
}

bool names_paths(std::string_view cell) {
  static constexpr std::array<std::string_view, 28> kNames{
      "path",      "paths",     "file",       "files",      "filename",       "filenames", "file_name",
      "filepath",  "file_path", "image",      "images",     "image_path",     "imagepath", "image_file",
      "imagefile", "imagename", "image_name", "image_id",   "imageid",        "img",       "img_path",
      "imgpath",   "img_name",  "img_file",   "image_link", "image_filename", "img_id",    "name"};
  return is_one_of(cell, kNames);
}

bool names_labels(std::string_view cell) {
  static constexpr std::array<std::string_view, 28> kNames{
      "label",      "labels",      "class",       "classes",   "target",       "targets",   "category",
      "categories", "y",           "class_id",    "classid",   "class_idx",    "classidx",  "class_index",
      "class_name", "classname",   "class_label", "label_id",  "labelid",      "label_idx", "label_index",
      "label_name", "category_id", "categoryid",  "target_id", "ground_truth", "gt",        "y_true"};
  return is_one_of(cell, kNames);
}

bool looks_like_file(std::string_view cell) {
  constexpr std::size_t kMaxSuffix = 5;
  if (cell.find_first_of("/\\") != std::string_view::npos) return true;
  const std::size_t point = cell.rfind('.');
  return point != std::string_view::npos && point > 0 && point + 1 < cell.size() &&
         cell.size() - point <= kMaxSuffix;
}

std::optional<std::pair<std::string, std::string>> split_at_space(std::string_view line) {
  line = trimmed(line);
  const std::size_t space = line.rfind(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view label = line.substr(space + 1);
  const std::string_view path = trimmed(line.substr(0, space));
  const bool header = names_paths(path) && names_labels(label);
  if (image::is_image_name(label) || !(header || is_number(label) || image::is_image_name(path)))
    return std::nullopt;
  return std::pair(std::string(path), std::string(label));
}

}  // namespace polyhead::data
