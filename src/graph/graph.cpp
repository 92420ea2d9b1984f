#include "polyhead/graph/graph.hpp"

#include <algorithm>

namespace polyhead::graph {

const Argument* find(const Node& node, std::string_view name) {
  const auto found =
      std::ranges::find_if(node.arguments, [&](const auto& argument) { return argument.first == name; });
  return found == node.arguments.end() ? nullptr : &found->second;
}

std::int64_t elements_of(const Tensor& tensor) {
  std::int64_t count = 1;
  for (const std::int64_t size : tensor.shape) count *= size;
  return count;
}

}  // namespace polyhead::graph
