#pragma once

#include <string>

#include <hdf5.h>

namespace polyhead::h5::detail {

/// Throws Error(bad_data) that names the filters of a dataset's chunks that HDF5 has neither built in nor as
/// a plugin here.
void check_filters(hid_t dataset, const std::string& where);

}  // namespace polyhead::h5::detail
