#pragma once

#include <string_view>
#include <vector>

#include "list_cells.hpp"
#include "list_format.hpp"

namespace polyhead::data {

/// The first lines of a list, read in one way.
struct ListRows {
  Dialect dialect;
  bool spaced = false;
  std::vector<Cells> rows;  ///< at most a hundred rows, without empty lines, up to the first damaged one

  /// Cells per row; 0 when rows differ.
  [[nodiscard]] std::size_t columns() const;
  /// Columns whose cells all are names of images; the first row's cell may differ.
  [[nodiscard]] std::vector<std::size_t> image_columns() const;
};

/// Chooses the separator that gives every line the same number of cells, with names of images or a header
/// among them. Otherwise takes the one that the list's suffix stands for. Throws Error(bad_data) that names
/// two separators when both fit.
ListRows separate(std::string_view head, const ListPlace& place);

}  // namespace polyhead::data
