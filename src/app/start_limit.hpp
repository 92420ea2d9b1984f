#pragma once

#include <chrono>
#include <string>

namespace polyhead::app {

/// Reads "90s", "10min", "500ms", "1h", or a plain number of seconds. Throws Error(usage) for any other text,
/// for zero and for more than a day.
std::chrono::milliseconds read_start_limit(const std::string& text);

/// Time limit of MPI's start: POLYHEAD_MPI_START_TIMEOUT, else `usual`. No configuration has been read by
/// then.
std::chrono::milliseconds start_limit(std::chrono::milliseconds usual);

}  // namespace polyhead::app
