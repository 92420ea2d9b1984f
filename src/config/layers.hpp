#pragma once

#include <vector>

#include "polyhead/config/config.hpp"
#include "type.hpp"

namespace polyhead::config {

/// A head's layers: a list of texts such as `linear 256`, with at least one `linear` among them.
Type<std::vector<Layer>> layers();

}  // namespace polyhead::config
