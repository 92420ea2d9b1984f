#include "list_format.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "data/files/sanitized.hpp"
#include "list_columns.hpp"
#include "list_separator.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/image/file_kind.hpp"

namespace polyhead::data {
namespace {

/// Refuses what is not text, whatever its name says.
void check_text(std::string_view head, const ListPlace& place) {
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) {
    throw Error(ExitCode::bad_data,
                fmt::format("{}: found text in UTF-16; expected UTF-8: save it anew, in Excel as 'CSV UTF-8'",
                            place.where));
  }
  const auto kind = image::kind_of(std::as_bytes(std::span(head)));
  if (!kind || (kind->family != image::KindFamily::text && !image::is_binary(head))) return;
  throw Error(ExitCode::bad_data,
              fmt::format("{}: this is {}; expected a list of images as text, `path,label` a line, such as "
                          "a spreadsheet saves as CSV",
                          place.where, kind->name));
}

std::string with_slashes(std::string_view path) {
  std::string result(path);
  std::ranges::replace(result, '\\', '/');
  return result;
}

/// Whether backslashes separate folders, as Windows writes them. Here they may be part of a name.
bool has_backslashes(const ListRows& list, const ListFormat& format, const ListPlace& place) {
  std::optional<std::string_view> first;
  for (std::size_t i = format.header ? 1 : 0; i < list.rows.size(); ++i) {
    const Cells& row = list.rows[i];
    if (format.path >= row.size() || row[format.path].find('\\') == std::string::npos) continue;
    const std::string_view path = trimmed(row[format.path]);
    if (!place.is_file || place.is_file(path)) return false;
    if (place.is_file(with_slashes(path))) return true;
    if (!first) first = path;
  }
  if (!first) return false;
  throw Error(
      ExitCode::bad_data,
      fmt::format("{}: found the path '{}' with backslashes, but in {} is neither such a file nor '{}'; "
                  "expected paths with slashes inside that folder (data.root chooses it)",
                  place.where, sanitized(*first), place.root, sanitized(with_slashes(*first))));
}

}  // namespace

ListFormat find_list_format(std::string_view head, const ListPlace& place) {
  check_text(head, place);
  const ListRows list = separate(head, place);
  if (list.rows.empty()) return {list.dialect, list.spaced};
  ListFormat format = find_columns(list, place);
  format.backslashes = has_backslashes(list, format, place);
  return format;
}

}  // namespace polyhead::data
