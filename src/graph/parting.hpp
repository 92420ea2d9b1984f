#pragma once

#include <optional>
#include <vector>

#include "polyhead/graph/sharing.hpp"

namespace polyhead::graph {

/// A member, and the digests of its nodes.
struct Identified {
  const Graph& graph;
  const std::vector<Digest>& digests;
};

/// Where a member parts from another one, and why: its first node that the other one does not have. Nothing
/// where there is none. `Parting::other` stays 0.
std::optional<Parting> find_parting(const Identified& member, const Identified& other);

}  // namespace polyhead::graph
