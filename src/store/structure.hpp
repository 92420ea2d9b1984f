#pragma once

#include <filesystem>

#include "polyhead/store/writer.hpp"

namespace polyhead::store {

/// Writes a new HDF5 file with all datasets of `layout` and what is known before the first row, and closes
/// it. Throws Error(cant_create); what `samples` throws passes through.
Offsets write_structure(const std::filesystem::path& path, const Layout& layout, const SampleSource& samples,
                        const Header& header);

}  // namespace polyhead::store
