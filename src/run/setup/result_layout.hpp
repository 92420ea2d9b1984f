#pragma once

#include <cstdint>

#include "polyhead/config/config.hpp"
#include "polyhead/store/result_shape.hpp"

namespace polyhead::run {

/// Layout of the result as far as the number of classes and the configuration, with all its heads, decide it.
store::Layout result_layout(const config::Config& config, std::int64_t classes);

/// Sets the columns in the configuration to those of the layout.
void ask_for_columns(const store::Layout& layout, config::Config& config);

}  // namespace polyhead::run
