#include <cstring>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include "interpreter.hpp"
#include "model/torch/tensors.hpp"
#include "model/torch/torch_settings.hpp"
#include "polyhead/base/error.hpp"
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

std::vector<std::uint32_t> all_nodes(const graph::Graph& graph) {
  std::vector<std::uint32_t> nodes;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) nodes.push_back(static_cast<std::uint32_t>(i));
  return nodes;
}

}  // namespace

struct GraphExecutor::Open {
  Open(const exported::Archive& archive, graph::Graph whole, int threads)
      : graph(std::move(whole)),
        interpreter(
            graph, all_nodes(graph), graph.outputs,
            [&](const graph::Constant& constant) { return tensor_of(archive.read(constant.name)); },
            threads) {}

  graph::Graph graph;
  Interpreter interpreter;
};

GraphExecutor::GraphExecutor(const exported::Archive& archive, graph::Graph graph, int threads) {
  check_operators(archive.path(), graph);
  apply_torch_settings(threads);
  open_ = std::make_unique<Open>(archive, std::move(graph), threads);
}
GraphExecutor::~GraphExecutor() = default;
GraphExecutor::GraphExecutor(GraphExecutor&&) noexcept = default;
GraphExecutor& GraphExecutor::operator=(GraphExecutor&&) noexcept = default;

std::int64_t GraphExecutor::outputs() const {
  return graph::elements_of(open_->graph.values[open_->graph.outputs.front()]);
}

void GraphExecutor::run(std::span<const float> images, std::span<float> scores) {
  const graph::Tensor& input = open_->graph.values[open_->graph.inputs.front()];
  if (static_cast<std::int64_t>(images.size()) != graph::elements_of(input) ||
      static_cast<std::int64_t>(scores.size()) != outputs())
    throw Error(ExitCode::internal, "a graph was given buffers of another size");
  at::init_num_threads();  // OpenMP keeps the number of threads per calling thread
  const c10::InferenceMode inference;
  open_->interpreter.give(open_->graph.inputs.front(), view_of(images, input.shape));
  open_->interpreter.run();
  const at::Tensor result = open_->interpreter.take(open_->graph.outputs.front());
  view_of(scores, result.sizes()).copy_(result);
}

}  // namespace polyhead::model
