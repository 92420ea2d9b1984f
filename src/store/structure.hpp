#pragma once

#include <filesystem>
#include <vector>

#include "extent.hpp"
#include "polyhead/store/writer.hpp"

namespace polyhead::store {

/// Places in a new file.
struct Structure {
  Offsets offsets;
  std::vector<Extent> open;  ///< see `open_extents`
};

/// Writes a new HDF5 file with all datasets of `layout` and all content known before the first row, and
/// closes it. Throws Error(cant_create); errors of `samples` pass through.
Structure write_structure(const std::filesystem::path& path, const Layout& layout,
                          const SampleSource& samples, const Header& header);

}  // namespace polyhead::store
