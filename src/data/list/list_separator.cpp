#include "list_separator.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/image/image_names.hpp"

namespace polyhead::data {
namespace {

constexpr std::size_t kRows = 100;
constexpr char kSpace = ' ';

std::string_view name_of(char separator) {
  switch (separator) {
    case ',':
      return "a comma";
    case ';':
      return "a semicolon";
    case '\t':
      return "a tab";
    default:
      return "a space";
  }
}

/// Separators, the likely one first.
std::array<char, 4> separators_for(std::string_view where) {
  const std::string name = image::lower(where);
  if (name.ends_with(".csv")) return {',', ';', '\t', kSpace};
  return {'\t', ',', ';', kSpace};
}

/// Whether lines end with CR alone, as on old Macs.
bool ends_with_cr(std::string_view head) {
  return head.find('\n') == std::string_view::npos && head.find('\r') != std::string_view::npos;
}

Cells cells_of(const RecordReader& record, bool spaced) {
  if (!spaced) return record.fields();
  const auto split = split_at_space(record.fields()[0]);
  return split ? Cells{split->first, split->second} : record.fields();
}

ListRows rows_of(std::string_view head, Dialect dialect, bool spaced) {
  ListRows result{dialect, spaced, {}};
  std::istringstream in{std::string(head)};
  RecordReader record(in, dialect);
  while (result.rows.size() < kRows && record.next() && record.problem().empty()) {
    const bool empty = record.fields().size() == 1 && trimmed(record.fields()[0]).empty();
    if (!empty) result.rows.push_back(cells_of(record, spaced));
  }
  return result;
}

bool has_quote(const Cells& row, bool closed) {
  return std::ranges::any_of(row, [&](const std::string& cell) {
    return cell.starts_with('"') && (cell.size() > 1 && cell.ends_with('"')) == closed;
  });
}

/// Whether cells may be quoted. In CSV files a quote opens a cell. Elsewhere this holds only when every cell
/// that begins with a quote ends with one.
bool has_quotes(std::string_view head, char separator, std::string_view where) {
  if (image::lower(where).ends_with(".csv")) return true;
  const auto plain = rows_of(head, {separator, false, ends_with_cr(head)}, false).rows;
  return std::ranges::any_of(plain, [](const Cells& row) { return has_quote(row, true); }) &&
         std::ranges::none_of(plain, [](const Cells& row) { return has_quote(row, false); });
}

ListRows read_with(std::string_view head, char separator, const ListPlace& place) {
  const bool cr = ends_with_cr(head);
  if (separator == kSpace) return rows_of(head, {'\n', false, cr}, true);
  return rows_of(head, {separator, has_quotes(head, separator, place.where), cr}, false);
}

bool has_header(const Cells& row) {
  return std::ranges::any_of(row, names_paths) && std::ranges::any_of(row, names_labels);
}

/// Whether the first line as a whole is a file.
bool is_one_path(const ListRows& list, std::string_view head, const ListPlace& place) {
  return list.spaced && place.is_file && place.is_file(head.substr(0, head.find_first_of("\r\n")));
}

/// Whether this reading is certain.
bool fits(const ListRows& list) {
  return list.columns() > 1 && (!list.image_columns().empty() || has_header(list.rows.front()));
}

[[noreturn]] void ambiguous(const ListPlace& place, const ListRows& one, char by, const ListRows& other,
                            char by_other) {
  throw Error(
      ExitCode::bad_data,
      fmt::format("{}:1: found lines that can be read in two ways: with {} between the cells ('{}'), "
                  "and with {} ('{}'); expected one of them: write it with a comma, and quotes around "
                  "cells that hold commas",
                  place.where, name_of(by), join(one.rows.front(), "' '"), name_of(by_other),
                  join(other.rows.front(), "' '")));
}

/// Chooses for names without a suffix. The content of all lines decides first, then the list's name.
std::size_t likely(const std::vector<ListRows>& lists, const std::array<char, 4>& separators,
                   std::string_view head, const ListPlace& place) {
  for (std::size_t i = 0; i < lists.size(); ++i) {
    if (lists[i].columns() > 1 && !is_one_path(lists[i], head, place)) return i;
  }
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const bool usual = i == 0 || separators[i] == ',';
    if (usual && std::ranges::any_of(lists[i].rows, [](const Cells& row) { return row.size() > 1; }))
      return i;
  }
  const bool txt = separators[0] == '\t' && !image::lower(place.where).ends_with(".tsv");
  return txt ? 1 : 0;
}

}  // namespace

std::size_t ListRows::columns() const {
  if (rows.empty()) return 0;
  const std::size_t size = rows.front().size();
  return std::ranges::all_of(rows, [&](const Cells& row) { return row.size() == size; }) ? size : 0;
}

std::vector<std::size_t> ListRows::image_columns() const {
  std::vector<std::size_t> found;
  const std::size_t first = rows.size() > 1 ? 1 : 0;
  for (std::size_t column = 0; column < columns(); ++column) {
    const auto is_image = [&](const Cells& row) { return image::is_image_name(trimmed(row[column])); };
    if (std::all_of(rows.begin() + static_cast<std::ptrdiff_t>(first), rows.end(), is_image)) {
      found.push_back(column);
    }
  }
  return found;
}

ListRows separate(std::string_view head, const ListPlace& place) {
  const auto separators = separators_for(place.where);
  std::vector<ListRows> lists;
  for (const char separator : separators) lists.push_back(read_with(head, separator, place));
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    if (!fits(lists[i]) || is_one_path(lists[i], head, place)) continue;
    if (found) ambiguous(place, lists[*found], separators[*found], lists[i], separators[i]);
    found = i;
  }
  if (found) return std::move(lists[*found]);
  return std::move(lists[likely(lists, separators, head, place)]);
}

}  // namespace polyhead::data
