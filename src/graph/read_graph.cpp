#include <set>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "operators.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/checkpoint/shape.hpp"
#include "polyhead/graph/graph.hpp"

namespace polyhead::graph {
namespace {

namespace exported = checkpoint::exported;

constexpr std::string_view kOps = "torch.ops.";
constexpr std::string_view kPython = "_operator.";

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

/// Name of the only symbol in a dimension: "s77" of "Symbol('s77', positive=True, integer=True)".
std::string symbol_in(const std::string& expression) {
  constexpr std::string_view kSymbol = "Symbol('";
  const std::size_t at = expression.find(kSymbol);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + kSymbol.size();
  return expression.substr(begin, expression.find('\'', begin) - begin);
}

/// What Python's operator of this name gives; nothing where it is not known or the result leaves 63 bits.
std::optional<std::int64_t> computed(std::string_view name, std::int64_t left, std::int64_t right) {
  std::int64_t result = 0;
  if (name == "mul" && !__builtin_mul_overflow(left, right, &result)) return result;
  if (name == "add" && !__builtin_add_overflow(left, right, &result)) return result;
  if (name == "sub" && !__builtin_sub_overflow(left, right, &result)) return result;
  if (name == "floordiv" && left >= 0 && right > 0) return left / right;
  if (name == "mod" && left >= 0 && right > 0) return left % right;
  return std::nullopt;
}

/// Turns names into indices, and sizes into numbers.
class Resolver {
 public:
  Resolver(const exported::Archive& archive, std::int64_t batch)
      : archive_(archive), program_(archive.program()), batch_(batch) {}

  Graph resolve() {
    choose_batch();
    if (program_.outputs.size() != 1) {
      fail(fmt::format(
          "returns {} tensors, and a member of an ensemble returns its scores alone: export a module "
          "whose forward() does",
          program_.outputs.size()));
    }
    for (const std::string& input : program_.inputs) graph_.inputs.push_back(add(input));
    std::set<std::string_view> used = used_names();
    for (const exported::StateTensor& tensor : program_.state) {
      if (used.contains(tensor.value)) add_constant(tensor);
    }
    for (const exported::Call& call : program_.calls) add_call(call);
    for (const std::string& output : program_.outputs) graph_.outputs.push_back(value(output, "the output"));
    graph_.batch = batch_;
    return std::move(graph_);
  }

 private:
  [[noreturn]] void fail(std::string_view text) const { checkpoint::bad_data(archive_.path(), text); }

  void choose_batch() {
    if (program_.inputs.size() != 1) {
      fail(
          fmt::format("has {} inputs, and a model of images has one: export a module whose forward() takes "
                      "the images alone",
                      program_.inputs.size()));
    }
    const auto found = program_.tensors.find(program_.inputs.front());
    if (found == program_.tensors.end() || found->second.shape.empty())
      fail("says nothing of the shape of its input");
    const exported::Dimension& first = found->second.shape.front();
    if (const auto* fixed = std::get_if<std::int64_t>(&first)) {
      batch_ = *fixed;
      return;
    }
    symbol_ = symbol_in(std::get<std::string>(first));
    const auto range = program_.symbols.find(symbol_);
    if (range == program_.symbols.end()) return;
    if (batch_ < range->second.least || batch_ > range->second.largest) {
      fail(fmt::format(
          "was exported for batches of {} to {} samples, not {}: export it with a larger range of "
          "torch.export.Dim",
          range->second.least, range->second.largest, batch_));
    }
  }

  [[nodiscard]] std::set<std::string_view> used_names() const {
    std::set<std::string_view> used;
    for (const exported::Call& call : program_.calls) {
      for (const auto& [name, argument] : call.arguments)
        exported::for_each_name(argument, [&](const std::string& value) { used.insert(value); });
    }
    used.insert(program_.outputs.begin(), program_.outputs.end());
    return used;
  }

  /// A new value of the graph.
  Value add(const std::string& name) {
    const auto found = program_.tensors.find(name);
    if (found == program_.tensors.end())
      fail(fmt::format("says nothing of the shape of '{}'", checkpoint::printable(name)));
    Tensor tensor{found->second.element, {}};
    for (const exported::Dimension& dimension : found->second.shape)
      tensor.shape.push_back(exported::evaluate(archive_.path(), dimension, symbol_, batch_));
    if (!checkpoint::element_count(tensor.shape)) {
      fail(fmt::format("has a tensor '{}' of an impossible shape {}", checkpoint::printable(name),
                       checkpoint::shape_text(tensor.shape)));
    }
    graph_.values.push_back(std::move(tensor));
    const auto value = static_cast<Value>(graph_.values.size() - 1);
    values_[name] = value;
    return value;
  }

  void add_constant(const exported::StateTensor& tensor) {
    const exported::Elements elements = archive_.read(tensor.name);
    const Value value = add(tensor.value);
    const Tensor& described = graph_.values[value];
    if (described.shape != elements.shape || described.type != elements.type) {
      fail(fmt::format("'{}' is {} in its graph and {} in its weights", checkpoint::printable(tensor.name),
                       checkpoint::shape_text(described.shape), checkpoint::shape_text(elements.shape)));
    }
    graph_.constants.push_back({value, tensor.name, content_of(described, elements.bytes),
                                static_cast<std::int64_t>(elements.bytes.size())});
  }

  Value value(const std::string& name, std::string_view user) {
    const auto found = values_.find(name);
    if (found == values_.end())
      fail(fmt::format("{} takes '{}', which is no tensor", user, checkpoint::printable(name)));
    // Kept, so that a long chain of writes is followed once.
    for (auto next = written_.find(found->second); next != written_.end(); next = written_.find(next->second))
      found->second = next->second;
    return found->second;
  }

  std::int64_t number(const exported::Number& number) const {
    if (const auto* plain = std::get_if<std::int64_t>(&number)) return *plain;
    const auto& name = std::get<exported::Name>(number).text;
    const auto found = numbers_.find(name);
    if (found == numbers_.end())
      fail(fmt::format("takes '{}' for a number, which it is not", checkpoint::printable(name)));
    return found->second;
  }

  Argument argument(const exported::Argument& given, const std::string& user) {
    return std::visit(
        Overloaded{[&](const exported::Name& name) -> Argument { return value(name.text, user); },
                   [&](const exported::Tensors& names) -> Argument {
                     Values tensors;
                     for (const auto& name : names)
                       tensors.push_back(name ? std::optional(value(name->text, user)) : std::nullopt);
                     return tensors;
                   },
                   [&](const exported::Number& one) -> Argument { return number(one); },
                   [&](const std::vector<exported::Number>& several) -> Argument {
                     std::vector<std::int64_t> numbers;
                     for (const exported::Number& one : several) numbers.push_back(number(one));
                     return numbers;
                   },
                   [](const auto& plain) -> Argument { return plain; }},
        given);
  }

  /// Numbers that depend on the batch alone: known now, so that no node is needed.
  std::optional<std::int64_t> number_of(const exported::Call& call) {
    if (call.target == "torch.ops.aten.sym_size.int") return size_of(call);
    if (!call.target.starts_with(kPython)) return std::nullopt;
    const std::string_view name = std::string_view(call.target).substr(kPython.size());
    const std::optional<std::int64_t> result = computed(name, given(call, 0), given(call, 1));
    if (!result) {
      fail(fmt::format("computes a size with '{}', which is not read or leaves 63 bits",
                       checkpoint::printable(call.target)));
    }
    return result;
  }

  /// A number that is an argument of the call.
  std::int64_t given(const exported::Call& call, std::size_t at) const {
    const auto* plain =
        at < call.arguments.size() ? std::get_if<exported::Number>(&call.arguments[at].second) : nullptr;
    if (plain == nullptr)
      fail(fmt::format("{} has an argument that is no number", checkpoint::printable(call.target)));
    return number(*plain);
  }

  std::int64_t size_of(const exported::Call& call) {
    const auto* name =
        call.arguments.empty() ? nullptr : std::get_if<exported::Name>(&call.arguments[0].second);
    if (name == nullptr) fail("takes the size of what is no tensor");
    const auto& shape = graph_.values[value(name->text, call.target)].shape;
    const std::int64_t dimension = given(call, 1);
    if (dimension < 0 || dimension >= static_cast<std::int64_t>(shape.size()))
      fail("takes the size of a dimension that is not there");
    return shape[static_cast<std::size_t>(dimension)];
  }

  void add_call(const exported::Call& call) {
    if (const std::optional<std::int64_t> known = number_of(call)) {
      if (call.outputs.size() != 1) fail(fmt::format("{} has not one output", call.target));
      numbers_[call.outputs.front()] = *known;
      return;
    }
    if (!call.target.starts_with(kOps)) {
      fail(fmt::format("has a call of '{}', which is no operator of PyTorch ({})",
                       checkpoint::printable(call.target), checkpoint::printable(call.line)));
    }
    Node node = node_of(call);
    if (!is_check(node)) place(std::move(node), call.outputs);
  }

  Node node_of(const exported::Call& call) {
    Node node{call.target.substr(kOps.size()), {}, {}, call.module, call.line};
    if (node.op == "aten.lift_fresh_copy.default") node.op = "aten.clone.default";
    for (const auto& [name, given] : call.arguments)
      node.arguments.emplace_back(name, argument(given, call.target));
    drop_defaults(node);
    if (const std::string why = unfit(node); !why.empty())
      fail(fmt::format("{} ({}): {}", checkpoint::printable(call.module), checkpoint::printable(node.op),
                       why));
    return node;
  }

  /// Adds the node with its outputs, or what stands for it.
  void place(Node node, const std::vector<std::string>& outputs) {
    const std::optional<Value> input = first_input(node);
    const bool one = input && outputs.size() == 1;
    if (one && does_nothing(node)) {
      values_[outputs.front()] = *input;
      return;
    }
    if (one && writes(node)) return add_write(std::move(node), *input, outputs.front());
    for (const std::string& output : outputs)
      node.outputs.push_back(output.empty() ? std::nullopt : std::optional(add(output)));
    if (input && may_alias(node)) {
      shared_.insert(*input);
      for (const auto& output : node.outputs)
        if (output) shared_.insert(*output);
    }
    graph_.nodes.push_back(std::move(node));
  }

  /// An operator that writes into its input becomes one that does not, and later readers of the input take
  /// its output. Where views share the input's memory, it stays.
  void add_write(Node node, Value input, const std::string& output) {
    const std::string functional = functional_name(node.op);
    if (shared_.contains(input) || functional.empty()) {
      node.outputs.emplace_back(input);
      values_[output] = input;
    } else {
      node.op = functional;
      const Value result = add(output);
      written_[input] = result;
      node.outputs.emplace_back(result);
    }
    graph_.nodes.push_back(std::move(node));
  }

  const exported::Archive& archive_;
  const exported::Program& program_;
  std::int64_t batch_;  ///< samples
  std::string symbol_;
  Graph graph_;
  std::unordered_map<std::string, Value> values_;
  std::unordered_map<std::string, std::int64_t> numbers_;
  std::set<Value> shared_;                    ///< values whose memory views share
  std::unordered_map<Value, Value> written_;  ///< what a value became when an operator wrote into it
};

}  // namespace

std::optional<std::int64_t> fixed_batch(const exported::Archive& archive) {
  const exported::Program& program = archive.program();
  if (program.inputs.empty()) return std::nullopt;
  const auto input = program.tensors.find(program.inputs.front());
  if (input == program.tensors.end() || input->second.shape.empty()) return std::nullopt;
  const auto* size = std::get_if<std::int64_t>(&input->second.shape.front());
  return size == nullptr ? std::nullopt : std::optional(*size);
}

Graph read_graph(const exported::Archive& archive, std::int64_t batch) {
  return Resolver(archive, batch).resolve();
}

}  // namespace polyhead::graph
