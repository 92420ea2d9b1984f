#pragma once

#include <filesystem>

#include "polyhead/config/config.hpp"

namespace polyhead::data {

/// Whether the data set may be read from `file`: it is data.path, a shard of its pattern, or any file in the
/// folders data.path and data.root. Reads nothing in them. Throws Error(config) for an invalid pattern.
bool holds_file(const config::Data& data, const std::filesystem::path& file);

}  // namespace polyhead::data
