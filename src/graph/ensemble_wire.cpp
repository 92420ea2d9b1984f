#include <utility>

#include "polyhead/base/error.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/graph/ensemble.hpp"

namespace polyhead::graph {
namespace {

namespace exported = checkpoint::exported;

/// Writes what a variant holds, after its index.
struct Put {
  WireWriter& writer;

  void operator()(std::monostate /*none*/) const {}
  template <WireValue T>
  void operator()(const T& value) const {
    writer.put(value);
  }
  void operator()(const std::string& text) const { writer.put_text(text); }
  void operator()(const Values& values) const {
    writer.put(values.size());
    for (const auto& value : values) writer.put(value.has_value()).put(value.value_or(0));
  }
  void operator()(const std::vector<bool>& truths) const {
    writer.put(truths.size());
    for (const bool truth : truths) writer.put(truth);
  }
  template <WireValue T>
  void operator()(const std::vector<T>& numbers) const {
    writer.put_array(std::span<const T>(numbers));
  }
  void operator()(const exported::Device& device) const { writer.put_text(device.name); }
  void operator()(const exported::Code& code) const { writer.put(code.kind).put(code.number); }  // no padding
};

void get(WireReader& /*reader*/, std::monostate& /*none*/) {}
template <WireValue T>
void get(WireReader& reader, T& value) {
  value = reader.get<T>();
}
void get(WireReader& reader, std::string& text) {
  text = reader.get_text();
}
void get(WireReader& reader, Values& values) {
  const auto count = reader.get<std::size_t>();
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_there = reader.get<bool>();
    const Value value = reader.get<Value>();
    values.push_back(is_there ? std::optional(value) : std::nullopt);
  }
}
void get(WireReader& reader, std::vector<bool>& truths) {
  const auto count = reader.get<std::size_t>();
  for (std::size_t i = 0; i < count; ++i) truths.push_back(reader.get<bool>());
}
template <WireValue T>
void get(WireReader& reader, std::vector<T>& numbers) {
  numbers = reader.get_array<T>();
}
void get(WireReader& reader, exported::Code& code) {
  code.kind = reader.get<exported::Code::Kind>();
  code.number = reader.get<std::int64_t>();
}
void get(WireReader& reader, exported::Device& device) {
  device.name = reader.get_text();
}

template <std::size_t kIndex = 0>
Argument argument_of(std::size_t index, WireReader& reader) {
  if constexpr (kIndex == std::variant_size_v<Argument>) {
    throw Error(ExitCode::internal, "a message between ranks has an argument of an unknown kind");
  } else {
    if (index != kIndex) return argument_of<kIndex + 1>(index, reader);
    std::variant_alternative_t<kIndex, Argument> value{};
    get(reader, value);
    return Argument(std::in_place_index<kIndex>, std::move(value));
  }
}

void put(WireWriter& writer, const Graph& graph) {
  writer.put(graph.values.size());
  for (const Tensor& tensor : graph.values)
    writer.put(tensor.type).put_array(std::span<const std::int64_t>(tensor.shape));
  writer.put(graph.constants.size());
  for (const Constant& constant : graph.constants)
    writer.put(constant.value).put_text(constant.name).put(constant.content).put(constant.bytes);
  writer.put_array(std::span<const Value>(graph.inputs)).put_array(std::span<const Value>(graph.outputs));
  writer.put(graph.nodes.size());
  for (const Node& node : graph.nodes) {
    writer.put_text(node.op).put_text(node.module).put_text(node.line);
    Put{writer}(node.outputs);
    writer.put(node.arguments.size());
    for (const auto& [name, argument] : node.arguments) {
      writer.put_text(name).put(argument.index());
      std::visit(Put{writer}, argument);
    }
  }
  writer.put(graph.batch);
}

void get(WireReader& reader, Graph& graph) {
  graph.values.resize(reader.get<std::size_t>());
  for (Tensor& tensor : graph.values) {
    tensor.type = reader.get<checkpoint::ElementType>();
    tensor.shape = reader.get_array<std::int64_t>();
  }
  graph.constants.resize(reader.get<std::size_t>());
  for (Constant& constant : graph.constants) {
    constant.value = reader.get<Value>();
    constant.name = reader.get_text();
    constant.content = reader.get<Digest>();
    constant.bytes = reader.get<std::int64_t>();
  }
  graph.inputs = reader.get_array<Value>();
  graph.outputs = reader.get_array<Value>();
  graph.nodes.resize(reader.get<std::size_t>());
  for (Node& node : graph.nodes) {
    node.op = reader.get_text();
    node.module = reader.get_text();
    node.line = reader.get_text();
    get(reader, node.outputs);
    node.arguments.resize(reader.get<std::size_t>());
    for (auto& [name, argument] : node.arguments) {
      name = reader.get_text();
      argument = argument_of(reader.get<std::size_t>(), reader);
    }
  }
  graph.batch = reader.get<std::int64_t>();
}

void put(WireWriter& writer, const Part& part) {
  writer.put_array(std::span<const std::uint32_t>(part.nodes));
  writer.put_array(std::span<const std::uint32_t>(part.constants));
}

void get(WireReader& reader, Part& part) {
  part.nodes = reader.get_array<std::uint32_t>();
  part.constants = reader.get_array<std::uint32_t>();
}

}  // namespace

std::vector<std::byte> to_bytes(const Ensemble& ensemble) {
  WireWriter writer;
  put(writer, ensemble.graph);
  put(writer, ensemble.trunk);
  writer.put(ensemble.branches.size());
  for (const Part& branch : ensemble.branches) put(writer, branch);
  writer.put_array(std::span<const Value>(ensemble.cut));
  return std::move(writer).take();
}

Ensemble ensemble_of(std::span<const std::byte> bytes) {
  WireReader reader(bytes);
  Ensemble ensemble;
  get(reader, ensemble.graph);
  get(reader, ensemble.trunk);
  ensemble.branches.resize(reader.get<std::size_t>());
  for (Part& branch : ensemble.branches) get(reader, branch);
  ensemble.cut = reader.get_array<Value>();
  return ensemble;
}

}  // namespace polyhead::graph
