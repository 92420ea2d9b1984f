#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "data/image_folder/record_reader.hpp"
#include "polyhead/config/config.hpp"

namespace polyhead::data {

/// What is known of a list before it is read.
struct ListPlace {
  std::string where;   ///< names the list in messages; its suffix tells which separator is likely
  std::string root;    ///< absolute folder that the paths are relative to
  bool strict = true;  ///< absolute paths must lie in the root, as the user chose it
  config::Columns columns{};
  bool named = false;  ///< `data.classes` is given
  /// Whether a path as the list has it is a file; empty: nobody can say.
  std::function<bool(std::string_view)> is_file{};
};

/// How a list of images is written.
struct ListFormat {
  Dialect dialect;
  bool spaced = false;       ///< a blank sets the label off: `split_at_space`
  bool header = false;       ///< the first line names the columns
  bool backslashes = false;  ///< stand for slashes in its paths
  std::size_t columns = 0;   ///< cells of a line; 0: a path, and a label or none
  std::size_t path = 0;      ///< column, from 0
  std::optional<std::size_t> label = 1;
};

/// Found out from the first lines, whose text `head` is, up to the end of a line. Throws Error: bad_data for
/// what is no such list, and for what can be read in two ways, with both; config when `columns` do not fit.
ListFormat find_list_format(std::string_view head, const ListPlace& place);

}  // namespace polyhead::data
