#pragma once

#include <filesystem>

#include "polyhead/config/config.hpp"

namespace polyhead::run {

/// Compares what a run would write (output.path, its lock, the list of samples beside it) with what the job
/// is computed from, by inode: whatever names and links lead to them. `yaml`: the configuration's own file.
/// Throws Error(config) that names both options.
void check_output_is_no_input(const config::Config& config, const std::filesystem::path& yaml);

}  // namespace polyhead::run
