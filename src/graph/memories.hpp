#pragma once

#include <vector>

#include "polyhead/graph/graph.hpp"

namespace polyhead::graph {

/// By value: the first value that may lie in its memory, which is itself where it is no view.
std::vector<Value> memories(const Graph& graph);

}  // namespace polyhead::graph
