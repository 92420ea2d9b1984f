#pragma once

#include <span>

#include "data/format.hpp"

namespace polyhead::data {

/// The formats that can be read, in the order in which files and folders are tried.
std::span<const Format> formats();
/// The row of a format. Throws Error(internal) for `automatic`.
const Format& format_of(config::DataFormat format);

}  // namespace polyhead::data
