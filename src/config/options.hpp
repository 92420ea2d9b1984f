#pragma once

#include "polyhead/config/config.hpp"
#include "type.hpp"

namespace polyhead::config {

/// Every option there is. Reading, checking, writing and the reference all follow this one description.
const Type<Config>& options();

}  // namespace polyhead::config
