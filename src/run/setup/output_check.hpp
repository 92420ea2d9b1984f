#pragma once

#include <filesystem>

#include "polyhead/config/config.hpp"

namespace polyhead::run {

/// Compares by inode what a run would write with the job's inputs, whatever names and links lead to them. A
/// run writes output.path, its lock, and the list of samples beside it. `yaml`: the configuration's own file.
/// Throws Error(config) that names both options.
void check_output_is_no_input(const config::Config& config, const std::filesystem::path& yaml);

}  // namespace polyhead::run
