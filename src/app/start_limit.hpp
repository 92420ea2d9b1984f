#pragma once

#include <chrono>
#include <string>

namespace polyhead::app {

/// "90s", "10min", "500ms", "1h", or a plain number of seconds. Throws Error(usage) for anything else, and
/// for nothing or more than a day.
std::chrono::milliseconds read_start_limit(const std::string& text);

/// How long MPI may take to start: POLYHEAD_MPI_START_TIMEOUT, else `usual`. No configuration is read by
/// then.
std::chrono::milliseconds start_limit(std::chrono::milliseconds usual);

}  // namespace polyhead::app
