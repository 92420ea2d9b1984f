#pragma once

#include <filesystem>
#include <vector>

#include "extent.hpp"
#include "read_file.hpp"

/// The seal of a result file: a digest of all that stays as it is once the file is made - HDF5's own
/// structures, names, the description of the job. HDF5 believes damaged structures: it was seen to copy
/// gigabytes for minutes. So they are looked at before HDF5 looks at them. The seal lies behind the end of
/// the file as HDF5 knows it: HDF5 does not see it, and cuts it off when somebody changes the file with it.
namespace polyhead::store {

/// Appends the seal of all bytes outside of `open`, which are ascending and apart. Throws Error(io_error).
void seal(const std::filesystem::path& path, const std::vector<Extent>& open);

/// Whether the file ends like a sealed one, sound or not.
bool has_seal(const ReadFile& file);

/// Throws Error(bad_data) when sealed bytes have changed, Error(io_error) when they cannot be read. A file
/// without a seal passes, and one that cannot be opened: whoever opens it next says why.
void check_seal(const std::filesystem::path& path);

}  // namespace polyhead::store
