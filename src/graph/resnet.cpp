#include "polyhead/graph/resnet.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "operators.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/checkpoint/shape.hpp"

namespace polyhead::graph {
namespace {

using Shape = std::vector<std::int64_t>;

constexpr double kMomentum = 0.1;  // of batch norms

/// What stands before "layer1.0.conv1.weight" in the names of the weights.
std::string prefix_of(const std::filesystem::path& file, const checkpoint::Checkpoint& weights) {
  constexpr std::string_view kSure = "layer1.0.conv1.weight";
  std::vector<std::string> prefixes;
  for (const checkpoint::CheckpointTensor& tensor : weights) {
    if (tensor.name.ends_with(kSure))
      prefixes.push_back(tensor.name.substr(0, tensor.name.size() - kSure.size()));
  }
  if (prefixes.size() == 1) return prefixes.front();
  if (prefixes.empty())
    checkpoint::bad_data(file, fmt::format("holds no {}, so it is no ResNet of torchvision", kSure));
  checkpoint::bad_data(
      file, fmt::format("holds several ResNets, under '{}' and '{}'", checkpoint::printable(prefixes[0]),
                        checkpoint::printable(prefixes[1])));
}

/// Builds the graph node by node.
class Builder {
 public:
  Builder(const ResNet& spec, const std::filesystem::path& file, const checkpoint::Checkpoint& weights)
      : spec_(spec), file_(file), prefix_(prefix_of(file, weights)) {
    for (const checkpoint::CheckpointTensor& tensor : weights) weights_[tensor.name] = &tensor;
  }

  Graph build(const ResNetInput& input) {
    const std::int64_t batch = input.batch;
    eps_ = input.eps;
    graph_.batch = batch;
    graph_.inputs = {add({batch, 3, input.height, input.width})};
    Value x = unit(graph_.inputs[0], "conv1", "bn1", {64, 7, 2, 1});
    x = relu(x, "relu");
    x = max_pool(x);
    for (std::int64_t layer = 0; layer < 4; ++layer) x = stage(x, layer);
    x = node("adaptive_avg_pool2d", {{"self", x}, {"output_size", Shape{1, 1}}},
             {batch, channels_of(x), 1, 1}, "avgpool");
    x = node("flatten", {{"self", x}, {"start_dim", std::int64_t{1}}}, {batch, channels_of(x)}, "");
    graph_.outputs = {last(x)};
    check_nothing_left();
    return std::move(graph_);
  }

 private:
  /// Convolution of a unit.
  struct Conv {
    std::int64_t out = 0;
    std::int64_t kernel = 0;
    std::int64_t stride = 1;
    std::int64_t groups = 1;
  };

  [[nodiscard]] const Shape& shape_of(Value value) const { return graph_.values[value].shape; }
  [[nodiscard]] std::int64_t channels_of(Value value) const { return shape_of(value)[1]; }

  Value add(Shape shape) {
    graph_.values.push_back({checkpoint::ElementType::f32, std::move(shape)});
    return static_cast<Value>(graph_.values.size() - 1);
  }

  /// A deeper network has all that a shallower one needs.
  void check_nothing_left() const {
    std::set<std::string_view> used;
    for (const Constant& constant : graph_.constants) used.insert(constant.name);
    for (const auto& [name, tensor] : weights_) {
      if (!name.starts_with(prefix_) || used.contains(name) || name.ends_with("num_batches_tracked"))
        continue;
      checkpoint::bad_data(file_, fmt::format("has '{}', which {} has not: is it another architecture?",
                                              checkpoint::printable(name), spec_.name));
    }
  }

  const checkpoint::CheckpointTensor& tensor_of(const std::string& name) const {
    const auto found = weights_.find(prefix_ + name);
    if (found == weights_.end())
      checkpoint::bad_data(file_, fmt::format("has no '{}{}', which {} needs", prefix_, name, spec_.name));
    if (!found->second->problem.empty())
      checkpoint::bad_data(file_, fmt::format("'{}{}' {}", prefix_, name, found->second->problem));
    return *found->second;
  }

  Value constant(const std::string& name, const Shape& shape) {
    const checkpoint::CheckpointTensor& tensor = tensor_of(name);
    if (tensor.shape != shape) {
      checkpoint::bad_data(file_, fmt::format("'{}{}' has shape {}, and {} has {} there", prefix_, name,
                                              checkpoint::shape_text(tensor.shape), spec_.name,
                                              checkpoint::shape_text(shape)));
    }
    const Value value = add(shape);
    const auto bytes = std::as_bytes(std::span(tensor.values));
    graph_.constants.push_back({value, tensor.name, content_of(graph_.values[value], bytes),
                                static_cast<std::int64_t>(bytes.size())});
    return value;
  }

  Value node(std::string_view op, std::vector<std::pair<std::string, Argument>> arguments, Shape shape,
             const std::string& module) {
    const Value output = add(std::move(shape));
    const std::string overload = op == "flatten" ? "using_ints" : op == "add" ? "Tensor" : "default";
    Node made{fmt::format("aten.{}.{}", op, overload), std::move(arguments), {output}, module, ""};
    drop_defaults(made);
    graph_.nodes.push_back(std::move(made));
    return output;
  }

  Value relu(Value x, const std::string& module) { return node("relu", {{"self", x}}, shape_of(x), module); }

  Value max_pool(Value x) {
    const Shape& from = shape_of(x);
    const auto half = [](std::int64_t size) { return (size - 1) / 2 + 1; };
    return node(
        "max_pool2d",
        {{"self", x}, {"kernel_size", Shape{3, 3}}, {"stride", Shape{2, 2}}, {"padding", Shape{1, 1}}},
        {from[0], from[1], half(from[2]), half(from[3])}, "maxpool");
  }

  /// A convolution without bias and its batch norm.
  Value unit(Value x, const std::string& conv_name, const std::string& norm_name, const Conv& conv) {
    const Shape from = shape_of(x);
    const std::int64_t border = conv.kernel / 2;
    const auto size = [&](std::int64_t in) { return (in + 2 * border - conv.kernel) / conv.stride + 1; };
    const Value weight =
        constant(conv_name + ".weight", {conv.out, from[1] / conv.groups, conv.kernel, conv.kernel});
    const Value y = node("conv2d",
                         {{"input", x},
                          {"weight", weight},
                          {"bias", std::monostate{}},
                          {"stride", Shape{conv.stride, conv.stride}},
                          {"padding", Shape{border, border}},
                          {"dilation", Shape{1, 1}},
                          {"groups", conv.groups}},
                         {from[0], conv.out, size(from[2]), size(from[3])}, conv_name);
    std::vector<std::pair<std::string, Argument>> arguments{{"input", y}};
    for (const char* name : {"weight", "bias", "running_mean", "running_var"})
      arguments.emplace_back(name, constant(fmt::format("{}.{}", norm_name, name), {conv.out}));
    arguments.emplace_back("training", false);
    arguments.emplace_back("momentum", kMomentum);
    arguments.emplace_back("eps", eps_);
    arguments.emplace_back("cudnn_enabled", false);
    return node("batch_norm", std::move(arguments), shape_of(y), norm_name);
  }

  Value stage(Value x, std::int64_t layer) {
    for (std::int64_t block = 0; block < spec_.blocks[layer]; ++block) {
      const std::string name = fmt::format("layer{}.{}", layer + 1, block);
      x = add_block(x, name, std::int64_t{64} << layer, layer > 0 && block == 0 ? 2 : 1);
    }
    return x;
  }

  Value add_block(Value x, const std::string& name, std::int64_t planes, std::int64_t stride) {
    const auto conv = [&](int number) { return fmt::format("{}.conv{}", name, number); };
    const auto norm = [&](int number) { return fmt::format("{}.bn{}", name, number); };
    const std::int64_t width = planes * spec_.width / 64 * spec_.groups;
    const std::int64_t out = spec_.bottleneck ? 4 * planes : planes;
    Value y = x;
    if (spec_.bottleneck) {
      y = relu(unit(y, conv(1), norm(1), {width, 1}), name + ".relu");
      y = relu(unit(y, conv(2), norm(2), {width, 3, stride, spec_.groups}), name + ".relu");
      y = unit(y, conv(3), norm(3), {out, 1});
    } else {
      y = relu(unit(y, conv(1), norm(1), {planes, 3, stride}), name + ".relu");
      y = unit(y, conv(2), norm(2), {planes, 3});
    }
    if (stride != 1 || channels_of(x) != out)
      x = unit(x, name + ".downsample.0", name + ".downsample.1", {out, 1, stride});
    return relu(node("add", {{"self", y}, {"other", x}}, shape_of(y), name), name + ".relu");
  }

  Value last(Value x) {
    const Shape& shape = tensor_of("fc.weight").shape;
    const std::int64_t classes = shape.empty() ? 0 : shape[0];
    const std::int64_t features = channels_of(x);
    const Value weight = constant("fc.weight", {classes, features});
    const Value bias = constant("fc.bias", {classes});
    return node("linear", {{"input", x}, {"weight", weight}, {"bias", bias}}, {graph_.batch, classes}, "fc");
  }

  const ResNet& spec_;
  const std::filesystem::path& file_;
  std::string prefix_;
  double eps_ = 0;
  std::map<std::string, const checkpoint::CheckpointTensor*> weights_;
  Graph graph_;
};

}  // namespace

const std::vector<ResNet>& resnets() {
  static const std::vector<ResNet> kAll{{"resnet18", false, {2, 2, 2, 2}},
                                        {"resnet34", false, {3, 4, 6, 3}},
                                        {"resnet50", true, {3, 4, 6, 3}},
                                        {"resnet101", true, {3, 4, 23, 3}},
                                        {"resnet152", true, {3, 8, 36, 3}},
                                        {"wide_resnet50_2", true, {3, 4, 6, 3}, 1, 128},
                                        {"wide_resnet101_2", true, {3, 4, 23, 3}, 1, 128},
                                        {"resnext50_32x4d", true, {3, 4, 6, 3}, 32, 4},
                                        {"resnext101_32x8d", true, {3, 4, 23, 3}, 32, 8},
                                        {"resnext101_64x4d", true, {3, 4, 23, 3}, 64, 4}};
  return kAll;
}

const ResNet& resnet(const std::string& name) {
  const auto found = std::ranges::find(resnets(), name, &ResNet::name);
  if (found != resnets().end()) return *found;
  std::vector<std::string> known;
  for (const ResNet& each : resnets()) known.emplace_back(each.name);
  throw Error(ExitCode::usage, fmt::format("there is no architecture '{}'; known are {}", name, join(known)));
}

Graph resnet_graph(const ResNet& spec, const std::filesystem::path& file,
                   const checkpoint::Checkpoint& weights, const ResNetInput& input) {
  return Builder(spec, file, weights).build(input);
}

}  // namespace polyhead::graph
