#pragma once

#include <cstddef>
#include <span>

#include "polyhead/base/digest.hpp"
#include "polyhead/graph/graph.hpp"

namespace polyhead::graph {

/// Digest of a constant: type, shape and elements in row-major order.
Digest content_of(const Tensor& tensor, std::span<const std::byte> elements);

}  // namespace polyhead::graph
