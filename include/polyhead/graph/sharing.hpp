#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "polyhead/graph/graph.hpp"

namespace polyhead::graph {

/// Size of a part of the computation.
struct Extent {
  std::int64_t nodes = 0;
  std::int64_t multiply_adds = 0;  ///< an image
  std::int64_t weight_bytes = 0;

  friend bool operator==(const Extent&, const Extent&) = default;
};

/// Why two members part.
struct Parting {
  std::size_t other = 0;     ///< the member that it has most in common with
  std::string where;         ///< "layer4.0.conv1 (aten.conv2d.default)"
  std::string difference;    ///< "layer4.0.conv1.weight has other values"
  std::int64_t drifted = 0;  ///< batch norms that differ in running statistics alone
  std::string beyond;        ///< where the two would part without these; empty: nowhere
};

struct MemberSharing {
  std::string name;
  Extent all;
  Extent own;                           ///< what no other member has
  std::optional<Parting> parting;       ///< nothing for the only member, and for one that is equal to another
  std::optional<std::size_t> equal_to;  ///< an earlier member that computes the same
};

/// What members have in common.
struct Sharing {
  std::vector<MemberSharing> members;
  Extent summed;  ///< all members, each computed alone
  Extent merged;  ///< each node computed once
  Extent common;  ///< what all members need
};

struct NamedGraph {
  std::string name;
  Graph graph;
};

/// Throws Error(bad_data) that names two members whose inputs differ.
void check_inputs(const std::vector<NamedGraph>& members);

/// Finds what members have in common: nodes of one identity are one node. Throws Error(bad_data) that names
/// two members whose inputs differ.
Sharing find_sharing(const std::vector<NamedGraph>& members);

}  // namespace polyhead::graph
