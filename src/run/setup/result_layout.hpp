#pragma once

#include <cstdint>

#include "polyhead/config/config.hpp"
#include "polyhead/store/result_shape.hpp"

namespace polyhead::run {

/// The result's layout as far as the configuration, with all its heads, and the number of classes decide it.
store::Layout result_layout(const config::Config& config, std::int64_t classes);

/// Lets the configuration ask for the columns that the layout has, and for no other.
void ask_for_columns(const store::Layout& layout, config::Config& config);

}  // namespace polyhead::run
