#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "call.hpp"
#include "polyhead/graph/graph.hpp"

namespace polyhead::model {

/// Throws Error(bad_data) that names the file, and the module and line of Python of the first operator that
/// is not run.
void check_operators(const std::filesystem::path& file, const graph::Graph& graph);

/// Computes nodes of a graph in their order, with LibTorch on the CPU. What does not depend on the graph's
/// inputs is computed once.
class Interpreter {
 public:
  using Constants = std::function<at::Tensor(const graph::Constant& constant)>;

  /// `nodes`: indices, ascending; their operators are allowed. `wanted`: values that stay when all is
  /// computed. `constants` gives those that the nodes need. The graph must outlive it.
  Interpreter(const graph::Graph& graph, std::vector<std::uint32_t> nodes,
              const std::vector<graph::Value>& wanted, const Constants& constants, int threads);

  /// Gives a value that no node computes.
  void give(graph::Value value, at::Tensor tensor) { values_[value] = std::move(tensor); }
  void run();
  /// A value that was wanted, or given; it is gone then.
  at::Tensor take(graph::Value value);

 private:
  void fetch_constants(const Constants& constants);
  void compute_fixed();
  void find_ends(const std::vector<graph::Value>& wanted);
  void call(std::size_t i);

  const graph::Graph& graph_;
  int threads_;
  std::vector<std::uint32_t> nodes_;  ///< of each call
  std::vector<Call> calls_;
  std::vector<c10::IValue> values_;
  std::vector<std::vector<graph::Value>> ends_;  ///< by call: values that nobody needs after it
};

}  // namespace polyhead::model
