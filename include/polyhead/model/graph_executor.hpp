#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "polyhead/checkpoint/exported_program.hpp"
#include "polyhead/graph/graph.hpp"

namespace polyhead::model {

/// Computes a graph with LibTorch on the CPU, node by node, as PyTorch computes the model in eager mode: with
/// the same batch and one thread, the same bits. Only operators of a table are run (model/graph/allowed.cpp):
/// functional, deterministic, and with bits that do not depend on the number of threads where the batch has
/// at least 16 samples.
class GraphExecutor {
 public:
  /// `graph`: of the archive. Reads the constants. Fixes LibTorch's process-wide settings, as make_model
  /// does. Throws Error(bad_data) that names the file, and the module and line of Python of an operator that
  /// is not run.
  GraphExecutor(const checkpoint::exported::Archive& archive, graph::Graph graph, int threads);
  ~GraphExecutor();
  GraphExecutor(GraphExecutor&&) noexcept;
  GraphExecutor& operator=(GraphExecutor&&) noexcept;

  /// Elements of the first output.
  [[nodiscard]] std::int64_t outputs() const;
  /// `images`: fp32, of the shape of the graph's input. `scores`: fp32, of the shape of its first output.
  /// Throws Error.
  void run(std::span<const float> images, std::span<float> scores);

 private:
  struct Open;
  std::unique_ptr<Open> open_;
};

}  // namespace polyhead::model
