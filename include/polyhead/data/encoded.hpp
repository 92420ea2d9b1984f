#pragma once

#include "polyhead/config/config.hpp"

namespace polyhead::data {

/// Whether samples of this format are image files, which a codec decodes, and not arrays of pixels. Not
/// for `automatic`.
bool is_encoded(config::DataFormat format);

}  // namespace polyhead::data
