#pragma once

#include <vector>

#include "polyhead/config/location.hpp"

namespace polyhead::config {

/// Throws ConfigError with the issues in the order of the file, those of the command line last. Returns when
/// there are none.
void throw_if_any(ExitCode code, std::vector<Issue> issues);

}  // namespace polyhead::config
