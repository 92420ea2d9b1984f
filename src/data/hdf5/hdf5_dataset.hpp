#pragma once

#include <memory>

#include "polyhead/config/config.hpp"
#include "polyhead/data/dataset.hpp"

namespace polyhead::data {

/// Arrays in one HDF5 file; rows are read as they are asked for. Throws Error (no_input, bad_data).
std::unique_ptr<Dataset> open_hdf5(const config::Data& config);

}  // namespace polyhead::data
