#pragma once

#include <vector>

#include "polyhead/base/digest.hpp"
#include "polyhead/graph/graph.hpp"

namespace polyhead::graph {

/// Digest of what each node computes: its operator, attributes, and what its inputs are, down to the
/// constants' contents. Nodes of one digest compute the same from the same images, in whatever graph they
/// stand. An operator that writes into its input (`relu_`, or `fill_` of a slice) changes what that tensor
/// and its views are from then on. Memory that is written into is shared by members only as a whole: what
/// makes it has the digest of all that is done with it until the last write, so that nobody reads too late.
std::vector<Digest> identities(const Graph& graph);

}  // namespace polyhead::graph
