#include "list_columns.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "data/files/sanitized.hpp"
#include "list_labels.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/image/image_names.hpp"

namespace polyhead::data {
namespace {

using Column = std::size_t;
using Columns = std::vector<Column>;

bool is_whole_number(std::string_view cell) {
  return read_label(trimmed(cell)).kind == LabelKind::number;
}

class ColumnFinder {
 public:
  ColumnFinder(const ListRows& list, const ListPlace& place)
      : place_(place),
        rows_(list.rows),
        first_(list.rows.front()),
        width_(list.columns()),
        images_(list.image_columns()) {}

  /// Finds path, label and header of the format.
  void find(ListFormat& format) const;

 private:
  [[nodiscard]] bool is_sample(Column column) const;
  [[nodiscard]] bool is_index(Column column) const;
  [[nodiscard]] bool all_after_first(Column column, bool (*holds)(std::string_view)) const;
  [[nodiscard]] Columns named(bool (*is_name)(std::string_view)) const;
  [[nodiscard]] bool numbers_columns() const;
  [[nodiscard]] bool is_header() const;
  [[nodiscard]] bool is_doubtful() const;
  [[nodiscard]] bool is_once(Column column) const;
  [[nodiscard]] Columns all() const;
  [[nodiscard]] std::optional<Column> position(std::string_view name) const;
  [[nodiscard]] std::optional<Column> by_name(std::string_view name) const;
  [[nodiscard]] std::optional<Column> chosen(const std::string& name, std::string_view option,
                                             bool& header) const;
  [[nodiscard]] Columns path_candidates() const;
  [[nodiscard]] Columns label_candidates(Column path) const;
  [[nodiscard]] Column path_of(std::optional<Column> label, bool header) const;
  [[nodiscard]] std::optional<Column> label_of(Column path) const;
  void find_without_header(ListFormat& format) const;
  [[nodiscard]] std::string shown_name(Column column, bool header) const;
  [[nodiscard]] std::string advice(Column path, std::optional<Column> label, bool header) const;
  [[noreturn]] void refuse(std::string_view found, const std::string& advice) const;

  const ListPlace& place_;
  const std::vector<Cells>& rows_;
  const Cells& first_;
  Column width_;  ///< 0: rows differ
  Columns images_;
};

/// Whether the first row's cell is a path rather than the name of a column.
bool ColumnFinder::is_sample(Column column) const {
  const std::string_view cell = trimmed(first_[column]);
  return image::is_image_name(cell) || looks_like_file(cell) || (place_.is_file && place_.is_file(cell));
}

bool ColumnFinder::all_after_first(Column column, bool (*holds)(std::string_view)) const {
  return rows_.size() > 1 && std::all_of(rows_.begin() + 1, rows_.end(), [&](const Cells& row) {
           return column < row.size() && holds(trimmed(row[column]));
         });
}

/// Whether the column is pandas' index. pandas writes it first, without a name, and reads it as "Unnamed: 0".
bool ColumnFinder::is_index(Column column) const {
  const std::string_view name = trimmed(first_[column]);
  const bool unnamed = name.empty() || name.starts_with("Unnamed: ");
  return column == 0 && unnamed && width_ > 1 && std::ranges::find(images_, column) == images_.end();
}

Columns ColumnFinder::named(bool (*is_name)(std::string_view)) const {
  Columns found;
  for (Column i = 0; i < first_.size(); ++i) {
    if (is_name(first_[i])) found.push_back(i);
  }
  return found;
}

/// Whether the header is 0, 1, ..., as pandas writes it for columns without names.
bool ColumnFinder::numbers_columns() const {
  const Column from = trimmed(first_[0]).empty() ? 1 : 0;
  for (Column i = from; i < first_.size(); ++i) {
    if (trimmed(first_[i]) != fmt::to_string(i - from)) return false;
  }
  return first_.size() > 1;
}

/// Whether the first row is certainly a header; two columns may still be of one kind.
bool ColumnFinder::is_header() const {
  const Columns paths = named(names_paths);
  const Columns labels = named(names_labels);
  const auto sample = [&](Column column) { return is_sample(column); };
  if (!paths.empty() && std::ranges::none_of(paths, sample)) {
    if (!labels.empty() || first_.size() == 1) return true;
  }
  if (width_ > 1 && rows_.size() > 1 && is_index(0)) return true;
  if (paths.empty() && labels.empty()) return first_.size() > 1 && numbers_columns() && !images_.empty();
  return !images_.empty() && rows_.size() > 1 && std::ranges::none_of(images_, sample);
}

/// Whether the first row differs from the others as a header does, although its names are unknown.
bool ColumnFinder::is_doubtful() const {
  if (width_ < 2 || rows_.size() < 2) return false;
  const auto sample = [&](Column column) { return is_sample(column); };
  if (!images_.empty()) return std::ranges::none_of(images_, sample);
  const auto known = [&](Column column) {
    return !sample(column) &&
           (names_paths(first_[column]) || (names_labels(first_[column]) && is_once(column)));
  };
  const auto turns = [&](Column column) {
    return !is_whole_number(first_[column]) && !trimmed(first_[column]).empty() &&
           all_after_first(column, is_whole_number);
  };
  const Columns columns = all();
  if (std::ranges::any_of(columns, known)) return true;
  return std::ranges::any_of(columns, turns) && std::ranges::none_of(columns, sample);
}

/// Whether the first row's cell occurs in no other row.
bool ColumnFinder::is_once(Column column) const {
  return std::none_of(rows_.begin() + 1, rows_.end(),
                      [&](const Cells& row) { return row[column] == first_[column]; });
}

Columns ColumnFinder::all() const {
  Columns columns;
  for (Column i = 0; i < first_.size(); ++i) columns.push_back(i);
  return columns;
}

/// Position of a column in the line, from 1, as a user writes it.
std::optional<Column> ColumnFinder::position(std::string_view name) const {
  Column number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || number < 1) return std::nullopt;
  return number - 1;
}

std::optional<Column> ColumnFinder::by_name(std::string_view name) const {
  for (Column i = 0; i < first_.size(); ++i) {
    if (trimmed(first_[i]) == trimmed(name)) return i;
  }
  for (Column i = 0; i < first_.size(); ++i) {
    if (plain_name(first_[i]) == plain_name(name)) return i;
  }
  return std::nullopt;
}

/// Column that an option of data.columns means. Numbers are names only where the header has numbers.
std::optional<Column> ColumnFinder::chosen(const std::string& name, std::string_view option,
                                           bool& header) const {
  if (name.empty()) return std::nullopt;
  if (const auto at = position(name); at && !numbers_columns()) {
    if (*at < first_.size()) return at;
    throw Error(ExitCode::config, fmt::format("data.columns.{}: {}:1: found {} columns; expected column {}",
                                              option, place_.where, first_.size(), name));
  }
  if (const auto column = by_name(name)) {
    header = true;
    return column;
  }
  std::vector<std::string> known;
  for (const std::string& cell : first_) known.push_back(sanitized(trimmed(cell)));
  const auto near = closest(name, known);
  throw Error(ExitCode::config,
              fmt::format("data.columns.{}: {}:1: found no column '{}' among '{}'{}; expected a name in the "
                          "first line, or a column's number from 1 where there is no header",
                          option, place_.where, name, join(known, "', '"),
                          near ? fmt::format("; did you mean '{}'?", *near) : ""));
}

/// Columns that may hold paths. Known names decide among columns that hold names of images, if there are
/// such.
Columns ColumnFinder::path_candidates() const {
  Columns known = named(names_paths);
  if (images_.empty()) return known;
  std::erase_if(known, [&](Column column) { return std::ranges::find(images_, column) == images_.end(); });
  return known.empty() ? images_ : known;
}

Columns ColumnFinder::label_candidates(Column path) const {
  Columns known = named(names_labels);
  std::erase(known, path);
  return known;
}

Column ColumnFinder::path_of(std::optional<Column> label, bool header) const {
  Columns paths = path_candidates();
  if (label) std::erase(paths, *label);
  if (paths.size() == 1) return paths[0];
  Columns others = all();
  std::erase_if(others, [&](Column column) { return is_index(column) || column == label; });
  if (!label) std::erase_if(others, [&](Column column) { return names_labels(first_[column]); });
  if (paths.empty() && others.size() == 1) return others[0];
  const Columns& guess = paths.empty() ? others : paths;
  const Column path = guess.empty() ? 0 : guess[0];
  const Columns labels = label_candidates(path);
  refuse(paths.empty() ? "no column that surely holds paths" : "more than one column of paths",
         advice(path, label || labels.empty() ? label : labels[0], header));
}

std::optional<Column> ColumnFinder::label_of(Column path) const {
  const Columns labels = label_candidates(path);
  if (labels.size() == 1) return labels[0];
  Columns others = all();
  std::erase_if(others, [&](Column column) { return is_index(column) || column == path; });
  if (others.empty()) return std::nullopt;
  const Column guess = labels.empty() ? others[0] : labels[0];
  refuse(labels.empty() ? "no column that surely holds labels" : "more than one column of labels",
         advice(path, guess, true));
}

void ColumnFinder::find_without_header(ListFormat& format) const {
  if (is_doubtful()) {
    const Column path = images_.empty() ? 0 : images_[0];
    refuse("a line that may be a header or a sample", advice(path, path == 0 ? 1 : 0, true));
  }
  const bool paths_first = std::ranges::find(images_, Column{0}) != images_.end();
  if (width_ > 2) {
    const Column path = images_.empty() ? 0 : images_[0];
    refuse(fmt::format("{} columns without a header", width_), advice(path, path == 0 ? 1 : 0, false));
  }
  if (width_ == 2 && !images_.empty() && (!paths_first || images_.size() > 1)) {
    const bool both = images_.size() > 1;
    refuse(both ? "two columns of paths" : "paths in the second column",
           advice(both ? 0 : 1, both ? 1 : 0, false));
  }
  format.columns = 0;
}

std::string ColumnFinder::shown_name(Column column, bool header) const {
  if (!header) return fmt::to_string(column + 1);
  const std::string name = sanitized(trimmed(first_[column]));
  const bool plain = !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  return plain ? name : fmt::format("\"{}\"", name);
}

std::string ColumnFinder::advice(Column path, std::optional<Column> label, bool header) const {
  const std::string columns = fmt::format("path: {}", shown_name(path, header));
  if (!label) return fmt::format("data.columns: {{{}}}", columns);
  return fmt::format("data.columns: {{{0}, label: {1}}}, or {{{0}}} where there are no labels", columns,
                     shown_name(*label, header));
}

void ColumnFinder::refuse(std::string_view found, const std::string& advice) const {
  std::vector<std::string> cells;
  for (const std::string& cell : first_) cells.push_back(sanitized(cell));
  throw Error(ExitCode::bad_data,
              fmt::format("{}:1: found {}: '{}'; expected `path,label` on each line, or a header with such "
                          "names; say which columns are meant, perhaps {}",
                          place_.where, found, join(cells, "' '"), advice));
}

void ColumnFinder::find(ListFormat& format) const {
  bool by_name = false;
  const auto path = chosen(place_.columns.path, "path", by_name);
  const auto label = chosen(place_.columns.label, "label", by_name);
  if (path && path == label) {
    throw Error(ExitCode::config,
                fmt::format("data.columns: column '{}' of {} is path and label; expected two",
                            place_.columns.path, place_.where));
  }
  format.header = by_name || is_header();
  format.columns = first_.size();
  const bool found_out = !path && !label;
  if (found_out && !format.header) return find_without_header(format);
  if (found_out && first_.size() == 1) return void(format.columns = 0);
  format.path = path ? *path : path_of(label, format.header);
  format.label = path || label ? label : label_of(format.path);
}

}  // namespace

ListFormat find_columns(const ListRows& list, const ListPlace& place) {
  ListFormat format;
  format.dialect = list.dialect;
  format.spaced = list.spaced;
  ColumnFinder(list, place).find(format);
  return format;
}

}  // namespace polyhead::data
