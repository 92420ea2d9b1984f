#pragma once

#include <string>
#include <string_view>

#include "polyhead/h5/h5.hpp"

namespace polyhead::data {

/// The dataset `name`. Throws Error(bad_data) that lists what the file holds; `option` is what chose the
/// name. Throws the same, with the filter's name and the way on, when HDF5 cannot unpack its rows here.
h5::Dataset find_hdf5(const h5::File& file, const std::string& name, std::string_view option);

}  // namespace polyhead::data
