#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "data/image_folder/record_reader.hpp"
#include "polyhead/config/config.hpp"

namespace polyhead::data {

/// Facts about a list before it is read.
struct ListPlace {
  std::string where;   ///< name of the list in messages; its suffix suggests a separator
  std::string root;    ///< absolute folder that the paths are relative to
  bool strict = true;  ///< absolute paths must lie in the root, as the user chose it
  config::Columns columns{};
  bool named = false;  ///< `data.classes` is given
  /// Whether a path in the list is a file; empty: unknown.
  std::function<bool(std::string_view)> is_file{};
};

/// Format of a list of images.
struct ListFormat {
  Dialect dialect;
  bool spaced = false;       ///< a blank separates the label: `split_at_space`
  bool header = false;       ///< the first line names the columns
  bool backslashes = false;  ///< backslashes in paths stand for slashes
  std::size_t columns = 0;   ///< cells per line; 0: a path, and a label or none
  std::size_t path = 0;      ///< column, from 0
  std::optional<std::size_t> label = 1;
};

/// Finds the format from the first lines: `head` is their text, up to the end of a line. Throws
/// Error(bad_data) for text that is no such list, and for text with two readings, which it names. Throws
/// Error(config) when `columns` do not fit.
ListFormat find_list_format(std::string_view head, const ListPlace& place);

}  // namespace polyhead::data
