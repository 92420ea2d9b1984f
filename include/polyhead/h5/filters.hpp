#pragma once

#include <string>
#include <vector>

#include "polyhead/h5/h5.hpp"

namespace polyhead::h5 {

/// Filters that a dataset's chunks were packed with and that HDF5 has neither built in nor as a plugin here:
/// "blosc (32001)". Without them no row can be read. Throws Error(bad_data) when the file is damaged.
std::vector<std::string> missing_filters(const File& file, const std::string& dataset);

}  // namespace polyhead::h5
