#pragma once

#include <vector>

#include "polyhead/base/digest.hpp"
#include "polyhead/graph/graph.hpp"

namespace polyhead::graph {

/// Digest of what each node computes: its operator, attributes, and what its inputs are, down to the
/// constants' contents. Nodes of one digest compute the same from the same images, in whatever graph they
/// stand. An operator that writes into its input (`relu_`, or `fill_` of a slice) changes what that tensor
/// and its views are from then on.
std::vector<Digest> identities(const Graph& graph);

}  // namespace polyhead::graph
