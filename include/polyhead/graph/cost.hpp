#pragma once

#include <cstdint>

#include "polyhead/graph/graph.hpp"

namespace polyhead::graph {

/// Multiply-adds of a node for the whole batch: convolutions, linear layers, products of matrices and
/// attention. Everything else counts as nothing: it takes memory traffic, not arithmetic.
std::int64_t multiply_adds(const Graph& graph, const Node& node);

}  // namespace polyhead::graph
