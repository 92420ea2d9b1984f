#pragma once

#include <filesystem>

#include "polyhead/config/config.hpp"

namespace polyhead::data {

/// Whether `file` may be one of those that the data set is read from: data.path, a shard of its pattern, or
/// any file in the folders data.path and data.root. Looks at nothing in them. Throws Error(config) for a
/// pattern that is none.
bool holds_file(const config::Data& data, const std::filesystem::path& file);

}  // namespace polyhead::data
