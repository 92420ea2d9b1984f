#pragma once

#include <filesystem>
#include <set>
#include <string>

#include <hdf5.h>

namespace polyhead::h5::detail {

/// Throws Error(bad_data) for a dataset to which nothing was ever written.
void check_written(hid_t dataset, H5D_layout_t layout, const std::string& where);
/// Adds the files that hold the dataset's values to `files`; `path` is the dataset's own file. Throws Error
/// (no_input, bad_data) for one that is missing or too short.
void check_external(hid_t dataset, hid_t properties, const std::string& where,
                    const std::filesystem::path& path, std::set<std::filesystem::path>& files);

}  // namespace polyhead::h5::detail
