#pragma once

#include <string_view>

#include "polyhead/data/reader.hpp"

namespace polyhead::data {

/// Throws Error(bad_data) when this rank's view of the data set `where` is not that of rank 0.
void check_same_dataset(const DatasetShape& here, const DatasetShape& there, std::string_view where);

}  // namespace polyhead::data
