#pragma once

#include "list_separator.hpp"

namespace polyhead::data {

/// Which column holds the paths and which the labels, and whether the first line is a header: by what the
/// header names, by what the cells look like, by `place.columns`. `list` has a row. Throws Error, bad_data or
/// config, with the guess where there are two readings.
ListFormat find_columns(const ListRows& list, const ListPlace& place);

}  // namespace polyhead::data
