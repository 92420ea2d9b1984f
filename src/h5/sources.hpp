#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "polyhead/h5/h5.hpp"

namespace polyhead::h5::detail {

/// Paths at which HDF5 looks for the source file `name` of a virtual dataset in the file `parent`, in its
/// order (H5F_prefix_open_file). They are an absolute name, the folders of HDF5_VDS_PREFIX, the parent's
/// folder, the working directory, the folder of the parent path's link target.
std::vector<std::filesystem::path> virtual_candidates(const std::filesystem::path& parent,
                                                      const std::string& name);
/// Path at which HDF5 looks for a file with external data (H5D_build_file_prefix): in HDF5_EXTFILE_PREFIX, or
/// else the working directory.
std::filesystem::path external_path(const std::filesystem::path& parent, const std::string& name);
/// Name of block number `block`: "%b" is that number, "%%" a percent sign.
std::string block_name(const std::string& pattern, std::uint64_t block);

}  // namespace polyhead::h5::detail
