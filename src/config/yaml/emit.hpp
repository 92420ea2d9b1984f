#pragma once

#include <string>

#include "node.hpp"

namespace polyhead::config {

/// YAML on one line: {a: 1, b: [2, "x"]}.
std::string emit_flow(const Node& node);

/// YAML with a line for every value of the upper two levels, deeper ones on their parent's line.
std::string emit(const Node& node);

}  // namespace polyhead::config
