#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "polyhead/config/config.hpp"
#include "polyhead/data/dataset.hpp"
#include "shard_paths.hpp"

namespace polyhead::data {

/// WebDataset shards. Throws Error (no_input, bad_data, config, cant_create).
std::unique_ptr<Dataset> open_webdataset(const config::Data& config, const std::filesystem::path& index);
/// Whether the file is named like a tar.
bool is_shard_file(const std::string& path, std::int64_t size);
/// Whether the path has braces, which `expand_braces` expands.
bool is_shard_pattern(const std::string& path);

}  // namespace polyhead::data
