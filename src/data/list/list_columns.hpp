#pragma once

#include "list_separator.hpp"

namespace polyhead::data {

/// Finds the columns of paths and labels, and whether the first line is a header. Decides by the header's
/// names, the cells' contents and `place.columns`. `list` must have a row. Throws Error (bad_data, config),
/// with the guess where there are two readings.
ListFormat find_columns(const ListRows& list, const ListPlace& place);

}  // namespace polyhead::data
