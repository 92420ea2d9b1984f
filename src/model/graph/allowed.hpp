#pragma once

#include <string_view>
#include <vector>

namespace polyhead::model {

/// Whether an operator of this name ("aten.conv2d.default") may be run.
bool is_allowed(std::string_view op);

/// Whether its bits depend on the number of threads: it is run by one.
bool wants_one_thread(std::string_view op);

/// All names.
std::vector<std::string_view> allowed_operators();

}  // namespace polyhead::model
