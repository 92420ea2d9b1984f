#include "polyhead/graph/cost.hpp"

#include <limits>

#include "operators.hpp"

namespace polyhead::graph {
namespace {

/// The product, or the largest number where that does not suffice.
std::int64_t product(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? std::numeric_limits<std::int64_t>::max() : result;
}

const Tensor* input(const Graph& graph, const Node& node, std::string_view name) {
  const Argument* const found = find(node, name);
  const auto* const value = found == nullptr ? nullptr : std::get_if<Value>(found);
  return value == nullptr ? nullptr : &graph.values[*value];
}

/// Multiply-adds of one output element, of operators with weights [out, ...] or a matrix to the left.
std::int64_t depth(const Graph& graph, const Node& node, std::string_view name) {
  if (name == "conv1d" || name == "conv2d" || name == "conv3d" || name == "convolution") {
    const Tensor* const weight = input(graph, node, "weight");
    if (weight == nullptr || weight->shape.empty() || weight->shape[0] == 0) return 0;
    return elements_of(*weight) / weight->shape[0];
  }
  const char* left = nullptr;
  if (name == "linear") left = "input";
  if (name == "mm" || name == "bmm" || name == "matmul") left = "self";
  if (name == "addmm") left = "mat1";
  if (name == "baddbmm") left = "batch1";
  const Tensor* const matrix = left == nullptr ? nullptr : input(graph, node, left);
  return matrix == nullptr || matrix->shape.empty() ? 0 : matrix->shape.back();
}

/// Products of queries and keys, and of what comes out and the values.
std::int64_t attention(const Graph& graph, const Node& node) {
  const Tensor* const query = input(graph, node, "query");
  const Tensor* const key = input(graph, node, "key");
  const Tensor* const value = input(graph, node, "value");
  if (query == nullptr || key == nullptr || value == nullptr) return 0;
  if (query->shape.size() < 2 || key->shape.size() < 2 || value->shape.empty()) return 0;
  const std::int64_t width = query->shape.back();
  const std::int64_t rows = width == 0 ? 0 : elements_of(*query) / width;
  const std::int64_t pairs = product(rows, key->shape[key->shape.size() - 2]);
  return product(pairs, width + value->shape.back());
}

}  // namespace

std::int64_t multiply_adds(const Graph& graph, const Node& node) {
  const std::string_view name = base_name(node.op);
  if (name == "scaled_dot_product_attention") return attention(graph, node);
  if (node.outputs.empty() || !node.outputs.front()) return 0;
  return product(elements_of(graph.values[*node.outputs.front()]), depth(graph, node, name));
}

}  // namespace polyhead::graph
