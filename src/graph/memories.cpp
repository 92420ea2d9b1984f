#include "memories.hpp"

#include <numeric>

#include "operators.hpp"

namespace polyhead::graph {

std::vector<Value> memories(const Graph& graph) {
  std::vector<Value> found(graph.values.size());
  std::iota(found.begin(), found.end(), Value{0});
  for (const Node& node : graph.nodes) {
    const std::optional<Value> source = first_input(node);
    if (!source || !may_alias(node)) continue;
    for (const auto& output : node.outputs)
      if (output) found[*output] = found[*source];
  }
  return found;
}

std::vector<bool> depends_on_inputs(const Graph& graph) {
  const std::vector<Value> memory = memories(graph);
  std::vector<bool> changing(graph.values.size());  // by memory
  for (const Value input : graph.inputs) changing[memory[input]] = true;
  std::vector<bool> found(graph.nodes.size());
  bool again = true;
  while (again) {
    again = false;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      if (found[i]) continue;
      for_each_value(graph.nodes[i], [&](Value value) { found[i] = found[i] || changing[memory[value]]; });
      if (!found[i]) continue;
      for (const auto& output : graph.nodes[i].outputs) {
        if (!output || changing[memory[*output]]) continue;
        changing[memory[*output]] = true;
        again = true;
      }
    }
  }
  return found;
}

}  // namespace polyhead::graph
