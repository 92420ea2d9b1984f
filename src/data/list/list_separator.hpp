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
  std::vector<Cells> rows;  ///< up to a hundred, without empty lines, up to the first that is damaged

  /// Cells of each row; 0 when rows differ.
  [[nodiscard]] std::size_t columns() const;
  /// The columns whose cells all are names of images, but maybe for the first row's.
  [[nodiscard]] std::vector<std::size_t> image_columns() const;
};

/// Chooses the separator: the one that gives every line the same cells, names of images or a header among
/// them; else the one that the list's suffix stands for. Throws Error(bad_data) that names two which fit.
ListRows separate(std::string_view head, const ListPlace& place);

}  // namespace polyhead::data
