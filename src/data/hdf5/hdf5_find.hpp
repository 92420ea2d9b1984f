#pragma once

#include <string>
#include <string_view>

#include "polyhead/h5/h5.hpp"

namespace polyhead::data {

/// The dataset `name`; `option` is what chose the name. Throws Error(bad_data) that lists what the file
/// holds. Throws Error(bad_data) with the filter's name and a remedy when HDF5 cannot unpack the rows here.
h5::Dataset find_hdf5(const h5::File& file, const std::string& name, std::string_view option);

}  // namespace polyhead::data
