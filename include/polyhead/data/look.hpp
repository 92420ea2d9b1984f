#pragma once

#include <cstdint>

#include "polyhead/base/sample.hpp"
#include "polyhead/data/location.hpp"

namespace polyhead::data {

/// Opens the file of a sample without reading it. Returns the reason why the sample cannot be used, or
/// `none`: the file is missing, may not be read, is empty, or larger than `max_size` bytes. Throws
/// Error(io_error) for lasting trouble that is not the file's own.
Reason look_at_file(const Location& location, std::uint64_t max_size);

}  // namespace polyhead::data
