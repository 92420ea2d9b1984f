#pragma once

#include <memory>

#include "polyhead/config/config.hpp"
#include "polyhead/data/reader.hpp"

namespace polyhead::data {

/// Throws Error (no_input, bad_data), also when the file here is another one than `shape` says.
std::unique_ptr<SampleReader> open_hdf5_reader(const config::Data& config, const DatasetShape& shape);

}  // namespace polyhead::data
