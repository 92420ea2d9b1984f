#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "polyhead/config/config.hpp"
#include "polyhead/data/dataset.hpp"

namespace polyhead::data {

/// Arrays in one HDF5 file; rows are read as they are asked for. Throws Error (no_input, bad_data).
std::unique_ptr<Dataset> open_hdf5(const config::Data& config, const std::filesystem::path& index);
/// Whether the file has a suffix of HDF5 or begins as such files do.
bool is_hdf5_file(const std::string& path, std::int64_t size);

}  // namespace polyhead::data
