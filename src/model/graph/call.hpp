#pragma once

#include <vector>

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include "polyhead/graph/graph.hpp"

namespace polyhead::model {

/// A node, ready to be called: its operator is looked up, its attributes are LibTorch's.
class Call {
 public:
  /// Throws c10::Error where LibTorch has no such operator, std::invalid_argument where an argument is
  /// missing or of another kind.
  explicit Call(const graph::Node& node);

  /// Takes inputs from `values`, and puts outputs there.
  void run(std::vector<c10::IValue>& values) const;

  /// Values that the call reads.
  [[nodiscard]] const std::vector<graph::Value>& inputs() const { return inputs_; }

 private:
  /// An argument whose value is known only when the call runs.
  struct Slot {
    std::size_t position = 0;
    graph::Values values;
    enum class Kind : std::uint8_t { tensor, tensors, optional_tensors } kind = Kind::tensor;
  };
  void add(const graph::Argument& argument, const c10::Argument& wanted);
  void add_slot(graph::Values values, Slot::Kind kind);

  c10::OperatorHandle op_;
  torch::jit::Stack arguments_;
  std::vector<Slot> slots_;
  std::vector<graph::Value> inputs_;
  graph::Values outputs_;
};

/// LibTorch's element type of a checkpoint's.
at::ScalarType scalar_type(checkpoint::ElementType type);

}  // namespace polyhead::model
