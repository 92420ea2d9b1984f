#pragma once

#include "polyhead/config/config.hpp"

namespace polyhead::data {

/// Whether samples of this format are image files that a codec decodes, rather than arrays of pixels. Not for
/// `automatic`.
bool is_encoded(config::DataFormat format);

}  // namespace polyhead::data
