#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "polyhead/graph/graph.hpp"
#include "polyhead/graph/sharing.hpp"

namespace polyhead::graph {

/// Some nodes of an ensemble, which are computed together.
struct Part {
  std::vector<std::uint32_t> nodes;      ///< indices in `Graph::nodes`, ascending
  std::vector<std::uint32_t> constants;  ///< indices in `Graph::constants`, of those that no other part holds
};

/// All members of an ensemble as one graph, in which what several of them compute stands once.
struct Ensemble {
  Graph graph;                 ///< `outputs`: the scores of each member, [batch, classes]
  Part trunk;                  ///< what several members need; its constants are there for the branches, too
  std::vector<Part> branches;  ///< what each member alone needs, and what does not depend on images
  std::vector<Value>
      cut;  ///< what passes from trunk to branches, ascending: the images, or what was made of them

  [[nodiscard]] std::int64_t classes() const;
};

/// Merges members: nodes of one identity become one, and so do constants of one content. Nodes keep their
/// order. Throws Error(bad_data) that names two members whose inputs or numbers of classes differ, and one
/// that writes into its input or weights.
Ensemble merge(const std::vector<NamedGraph>& members);

/// Digest of what each member computes, weights included.
std::vector<Digest> member_digests(const Ensemble& ensemble);

/// The ensemble of members [first, first + count) alone; the trunk and the cut stay those of all.
Ensemble some_members(const Ensemble& ensemble, std::size_t first, std::size_t count);

/// What a part takes to compute.
struct PartCost {
  std::int64_t multiply_adds = 0;  ///< an image
  std::int64_t weight_bytes = 0;
  std::int64_t nodes = 0;
  std::int64_t activations = 0;  ///< bytes an image that live at once, at most
};
PartCost cost_of(const Ensemble& ensemble, const Part& part);

/// Form in which the cut of a micro-batch is passed on: for each tensor its strides, then its elements. Each
/// of both begins at a multiple of `kAligned` bytes, as LibTorch's tensors do.
struct CutForm {
  static constexpr std::int64_t kAligned = 64;
  using Strides = std::array<std::int64_t, 8>;  ///< as many dimensions as a tensor may have
  static constexpr std::int64_t rounded_up(std::int64_t bytes) {
    return (bytes + kAligned - 1) / kAligned * kAligned;
  }
};
/// Bytes of the cut in this form.
std::int64_t cut_bytes(const Ensemble& ensemble);

/// The ensemble as bytes, for the other ranks of a job.
std::vector<std::byte> to_bytes(const Ensemble& ensemble);
/// Throws Error(internal).
Ensemble ensemble_of(std::span<const std::byte> bytes);

}  // namespace polyhead::graph
