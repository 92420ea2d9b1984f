#pragma once

#include <string>

#include "node.hpp"

namespace polyhead::config {

/// YAML on one line: {a: 1, b: [2, "x"]}.
std::string emit_flow(const Node& node);

/// YAML with one line for every value of the upper two levels; deeper values stay on their parent's line.
std::string emit(const Node& node);

}  // namespace polyhead::config
