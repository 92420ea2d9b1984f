#include <cstring>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "allowed.hpp"
#include "call.hpp"
#include "model/torch/tensors.hpp"
#include "model/torch/torch_guard.hpp"
#include "model/torch/torch_settings.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/model/graph_executor.hpp"

namespace polyhead::model {
namespace {

namespace exported = checkpoint::exported;

at::Tensor tensor_of(const exported::Elements& elements) {
  at::Tensor tensor = at::empty(elements.shape, at::TensorOptions().dtype(scalar_type(elements.type)));
  if (!elements.bytes.empty())
    std::memcpy(tensor.mutable_data_ptr(), elements.bytes.data(), elements.bytes.size());
  return tensor;
}

[[noreturn]] void refuse(const std::filesystem::path& file, const graph::Node& node, std::string_view why) {
  checkpoint::bad_data(
      file, fmt::format("{} at '{}' ({}): {}", checkpoint::printable(node.op),
                        checkpoint::printable(node.module), checkpoint::printable(node.line), why));
}

Call call_of(const std::filesystem::path& file, const graph::Node& node) {
  if (!is_allowed(node.op)) {
    refuse(file, node,
           "this operator is not run: it is not known to give the same bits on every rank; to allow "
           "it, add it to src/model/graph/allowed.cpp, whose test shows that it does");
  }
  try {
    return Call(node);
  } catch (const std::exception& error) {
    const std::string_view text = error.what();
    refuse(file, node, text.substr(0, text.find('\n')));
  }
}

}  // namespace

class GraphExecutor::Interpreter {
 public:
  Interpreter(const exported::Archive& archive, graph::Graph graph, int threads)
      : graph_(std::move(graph)),
        threads_(threads),
        values_(graph_.values.size()),
        ends_(graph_.nodes.size()) {
    apply_torch_settings(threads);
    const c10::InferenceMode inference;
    for (const graph::Constant& constant : graph_.constants)
      values_[constant.value] = tensor_of(archive.read(constant.name));
    calls_.reserve(graph_.nodes.size());
    for (const graph::Node& node : graph_.nodes) calls_.push_back(call_of(archive.path(), node));
    find_ends();
  }

  [[nodiscard]] std::int64_t outputs() const {
    return graph::elements_of(graph_.values[graph_.outputs.front()]);
  }

  void run(std::span<const float> images, std::span<float> scores) {
    const auto& shape = graph_.values[graph_.inputs.front()].shape;
    if (static_cast<std::int64_t>(images.size()) !=
            graph::elements_of(graph_.values[graph_.inputs.front()]) ||
        static_cast<std::int64_t>(scores.size()) != outputs())
      throw Error(ExitCode::internal, "a graph was given buffers of another size");
    at::init_num_threads();  // OpenMP keeps the number of threads per calling thread
    const c10::InferenceMode inference;
    values_[graph_.inputs.front()] = view_of(images, shape);
    for (std::size_t i = 0; i < calls_.size(); ++i) step(i);
    at::Tensor result = values_[graph_.outputs.front()].toTensor();
    view_of(scores, result.sizes()).copy_(result);
    values_[graph_.outputs.front()] = {};
  }

 private:
  /// For each node, the values that nobody needs after it.
  void find_ends() {
    std::vector<std::int64_t> last(values_.size(), -1);
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      for (const graph::Value value : calls_[i].inputs()) last[value] = static_cast<std::int64_t>(i);
      for (const auto& output : graph_.nodes[i].outputs)
        if (output) last[*output] = std::max(last[*output], static_cast<std::int64_t>(i));
    }
    for (const graph::Constant& constant : graph_.constants) last[constant.value] = -1;
    for (const graph::Value output : graph_.outputs) last[output] = -1;
    for (std::size_t value = 0; value < last.size(); ++value) {
      if (last[value] >= 0)
        ends_[static_cast<std::size_t>(last[value])].push_back(static_cast<graph::Value>(value));
    }
  }

  void step(std::size_t i) {
    const graph::Node& node = graph_.nodes[i];
    guarded(fmt::format("{} at '{}'", node.op, node.module), [&] {
      const bool one = threads_ > 1 && wants_one_thread(node.op);
      if (one) at::set_num_threads(1);
      calls_[i].run(values_);
      if (one) at::set_num_threads(threads_);
    });
    for (const graph::Value value : ends_[i]) values_[value] = {};
  }

  graph::Graph graph_;
  int threads_;
  std::vector<c10::IValue> values_;
  std::vector<Call> calls_;
  std::vector<std::vector<graph::Value>> ends_;
};

GraphExecutor::GraphExecutor(const exported::Archive& archive, graph::Graph graph, int threads)
    : interpreter_(std::make_unique<Interpreter>(archive, std::move(graph), threads)) {}
GraphExecutor::~GraphExecutor() = default;
GraphExecutor::GraphExecutor(GraphExecutor&&) noexcept = default;
GraphExecutor& GraphExecutor::operator=(GraphExecutor&&) noexcept = default;

std::int64_t GraphExecutor::outputs() const {
  return interpreter_->outputs();
}

void GraphExecutor::run(std::span<const float> images, std::span<float> scores) {
  interpreter_->run(images, scores);
}

}  // namespace polyhead::model
