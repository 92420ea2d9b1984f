#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "polyhead/base/digest.hpp"
#include "polyhead/checkpoint/element_type.hpp"
#include "polyhead/checkpoint/exported_program.hpp"

/// What a member of an ensemble computes, as plain data: nodes in the order of execution, each with an
/// operator, attributes and inputs.
namespace polyhead::graph {

/// A tensor of the graph, by its index in `Graph::values`.
using Value = std::uint32_t;

struct Tensor {
  checkpoint::ElementType type = checkpoint::ElementType::f32;
  std::vector<std::int64_t> shape;  ///< the first dimension of what depends on images is the batch
};

/// Tensors of a list; nothing stands for None.
using Values = std::vector<std::optional<Value>>;
/// What an operator is given. Nothing stands for None.
using Argument = std::variant<std::monostate, Value, Values, bool, std::int64_t, double, std::string,
                              std::vector<std::int64_t>, std::vector<double>, std::vector<bool>,
                              checkpoint::exported::Code, checkpoint::exported::Device>;

struct Node {
  std::string op;  ///< "aten.conv2d.default"
  std::vector<std::pair<std::string, Argument>> arguments;
  Values outputs;
  std::string module;  ///< "layer1.0.conv1"; empty where the source does not say it
  std::string line;    ///< of the model's Python; may be empty
};

/// A tensor of the model's state, with the digest of its elements in row-major order.
struct Constant {
  Value value = 0;
  std::string name;  ///< "layer1.0.conv1.weight"
  Digest content;
  std::int64_t bytes = 0;
};

struct Graph {
  std::vector<Tensor> values;
  std::vector<Constant> constants;
  std::vector<Value> inputs;
  std::vector<Value> outputs;
  std::vector<Node> nodes;
  std::int64_t batch = 0;  ///< samples that the shapes are for
};

/// Samples in the only batch that an archive was exported for; nothing where it takes batches of any size.
std::optional<std::int64_t> fixed_batch(const checkpoint::exported::Archive& archive);

/// Graph of an archive for micro-batches of `batch` samples: sizes that depend on the batch become numbers,
/// and the nodes that compute them vanish. An archive that was exported for one batch keeps that one. Reads
/// all constants once. Throws Error(bad_data) that names the file.
Graph read_graph(const checkpoint::exported::Archive& archive, std::int64_t batch);

/// Digest of a constant: type, shape and elements in row-major order.
Digest content_of(const Tensor& tensor, std::span<const std::byte> elements);

/// Value of a node's argument, or null.
const Argument* find(const Node& node, std::string_view name);

/// Calls `use` with each tensor that the node takes, in the order of its arguments.
void for_each_value(const Node& node, const std::function<void(Value)>& use);

/// By node: whether its results depend on the graph's inputs. Where something that does is written into a
/// tensor, all that is made of that tensor does, too.
std::vector<bool> depends_on_inputs(const Graph& graph);

/// An attribute in the words of Python: "[1, 1]", "None", "False".
std::string text_of(const Argument& argument);

/// Elements of a tensor.
std::int64_t elements_of(const Tensor& tensor);
std::int64_t bytes_of(const Tensor& tensor);

}  // namespace polyhead::graph
