#pragma once

#include <filesystem>
#include <vector>

#include "extent.hpp"
#include "read_file.hpp"

/// Seal of a result file: a digest of all bytes that stay the same once the file is made. These are HDF5's
/// own structures, names, and the description of the job. HDF5 trusts damaged structures: it was seen to copy
/// gigabytes for minutes. So the seal is checked before HDF5 opens the file. The seal lies after the end of
/// the file as HDF5 knows it. HDF5 does not see it, and cuts it off when a program changes the file through
/// HDF5.
namespace polyhead::store {

/// Appends the seal of all bytes outside of `open`, which are ascending and apart. Throws Error(io_error).
void seal(const std::filesystem::path& path, const std::vector<Extent>& open);

/// Whether the file ends like a sealed one, sound or not.
bool has_seal(const ReadFile& file);

/// Throws Error(bad_data) when sealed bytes have changed, Error(io_error) when they cannot be read. A file
/// without a seal passes. So does one that cannot be opened: its next opening reports why.
void check_seal(const std::filesystem::path& path);

}  // namespace polyhead::store
