#include "call.hpp"

#include <stdexcept>
#include <utility>

#include <ATen/ops/scalar_tensor.h>
#include <c10/core/Device.h>
#include <fmt/format.h>

namespace polyhead::model {
namespace {

using checkpoint::ElementType;
namespace exported = checkpoint::exported;

/// Of "aten.conv2d.default".
c10::OperatorHandle operator_of(const std::string& op) {
  const std::size_t first = op.find('.');
  const std::size_t last = op.rfind('.');
  if (first == std::string::npos || first == last)
    throw std::invalid_argument(fmt::format("'{}' is no operator's name", op));
  const std::string name = op.substr(0, first) + "::" + op.substr(first + 1, last - first - 1);
  const std::string overload = op.substr(last + 1);
  return c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(),
                                                        overload == "default" ? "" : overload.c_str());
}

/// A number where a tensor is wanted. It takes part in the choice of the result's type as a number does.
c10::IValue wrapped(const c10::Scalar& number) {
  at::Tensor tensor = at::scalar_tensor(number, number.isFloatingPoint() ? at::kDouble : at::kLong);
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

bool wants(const c10::Argument& argument, const char* type) {
  return argument.type()->str().find(type) != std::string::npos;
}

/// torch._export.serde.schema.ScalarType, Layout and MemoryFormat to LibTorch's numbers.
std::int64_t number_of(const exported::Code& code) {
  using Kind = exported::Code::Kind;
  constexpr std::array kTypes{at::kFloat,  at::kByte,        at::kChar,         at::kShort,
                              at::kInt,    at::kLong,        at::kHalf,         at::kFloat,
                              at::kDouble, at::kComplexHalf, at::kComplexFloat, at::kComplexDouble,
                              at::kBool,   at::kBFloat16};
  if (code.kind == Kind::layout) return static_cast<std::int64_t>(c10::Layout::Strided);
  if (code.kind == Kind::memory_format) return code.number - 1;
  if (code.number < 1 || code.number >= static_cast<std::int64_t>(kTypes.size()))
    throw std::invalid_argument(fmt::format("takes the element type {} of the schema", code.number));
  return static_cast<std::int64_t>(kTypes[static_cast<std::size_t>(code.number)]);
}

/// Attributes as LibTorch's values.
struct Attribute {
  const c10::Argument& wanted;

  c10::IValue operator()(std::monostate /*none*/) const { return {}; }
  c10::IValue operator()(bool truth) const { return truth; }
  c10::IValue operator()(std::int64_t number) const {
    if (wants(wanted, "Tensor")) return wrapped(number);
    if (wants(wanted, "float")) return static_cast<double>(number);
    return number;
  }
  c10::IValue operator()(double number) const {
    return wants(wanted, "Tensor") ? wrapped(number) : c10::IValue(number);
  }
  c10::IValue operator()(const std::string& text) const { return text; }
  c10::IValue operator()(const std::vector<std::int64_t>& numbers) const { return numbers; }
  c10::IValue operator()(const std::vector<double>& numbers) const { return numbers; }
  c10::IValue operator()(const std::vector<bool>& truths) const {
    c10::List<bool> list;
    for (const bool truth : truths) list.push_back(truth);
    return list;
  }
  c10::IValue operator()(const exported::Code& code) const { return number_of(code); }
  c10::IValue operator()(const exported::Device& /*exported on*/) const { return c10::Device(c10::kCPU); }
  c10::IValue operator()(graph::Value /*slot*/) const { return {}; }
  c10::IValue operator()(const graph::Values& /*slot*/) const { return {}; }
};

c10::IValue gathered(const graph::Values& given, const std::vector<c10::IValue>& values, bool optional) {
  if (optional) {
    c10::List<std::optional<at::Tensor>> list;
    for (const auto& value : given)
      list.push_back(value ? std::optional(values[*value].toTensor()) : std::nullopt);
    return list;
  }
  c10::List<at::Tensor> list;
  for (const auto& value : given) list.push_back(values[*value].toTensor());
  return list;
}

}  // namespace

Call::Call(const graph::Node& node) : op_(operator_of(node.op)), outputs_(node.outputs) {
  std::size_t used = 0;
  for (const c10::Argument& wanted : op_.schema().arguments()) {
    const graph::Argument* const given = graph::find(node, wanted.name());
    if (given != nullptr) {
      add(*given, wanted);
      ++used;
    } else if (wanted.default_value()) {
      arguments_.push_back(*wanted.default_value());
    } else {
      throw std::invalid_argument(fmt::format("has no argument {}", wanted.name()));
    }
  }
  if (used != node.arguments.size())
    throw std::invalid_argument("has an argument that LibTorch's operator does not have");
}

void Call::add(const graph::Argument& argument, const c10::Argument& wanted) {
  if (const auto* value = std::get_if<graph::Value>(&argument)) return add_slot({*value}, Slot::Kind::tensor);
  if (const auto* values = std::get_if<graph::Values>(&argument)) {
    const bool optional = wants(wanted, "Tensor?[]") || wants(wanted, "Optional[Tensor]");
    return add_slot(*values, optional ? Slot::Kind::optional_tensors : Slot::Kind::tensors);
  }
  arguments_.push_back(std::visit(Attribute{wanted}, argument));
}

void Call::add_slot(graph::Values values, Slot::Kind kind) {
  for (const auto& value : values) {
    if (value) inputs_.push_back(*value);
    if (!value && kind == Slot::Kind::tensors) throw std::invalid_argument("has no tensor where one must be");
  }
  slots_.push_back({arguments_.size(), std::move(values), kind});
  arguments_.emplace_back();
}

void Call::run(std::vector<c10::IValue>& values) const {
  torch::jit::Stack stack = arguments_;
  for (const Slot& slot : slots_) {
    stack[slot.position] = slot.kind == Slot::Kind::tensor
                               ? values[*slot.values.front()]
                               : gathered(slot.values, values, slot.kind == Slot::Kind::optional_tensors);
  }
  op_.callBoxed(stack);
  std::vector<at::Tensor> list;
  const bool one_list = stack.size() == 1 && stack[0].isTensorList();
  if (one_list) list = stack[0].toTensorVector();
  const std::size_t count = one_list ? list.size() : stack.size();
  for (std::size_t i = 0; i < outputs_.size() && i < count; ++i) {
    if (outputs_[i]) values[*outputs_[i]] = one_list ? c10::IValue(list[i]) : std::move(stack[i]);
  }
}

at::ScalarType scalar_type(ElementType type) {
  switch (type) {
    case ElementType::f16:
      return at::kHalf;
    case ElementType::bf16:
      return at::kBFloat16;
    case ElementType::f32:
      return at::kFloat;
    case ElementType::f64:
      return at::kDouble;
    case ElementType::f8_e4m3fn:
      return at::kFloat8_e4m3fn;
    case ElementType::f8_e5m2:
      return at::kFloat8_e5m2;
    case ElementType::i8:
      return at::kChar;
    case ElementType::u8:
      return at::kByte;
    case ElementType::i16:
      return at::kShort;
    case ElementType::u16:
      return at::kUInt16;
    case ElementType::i32:
      return at::kInt;
    case ElementType::u32:
      return at::kUInt32;
    case ElementType::i64:
      return at::kLong;
    case ElementType::u64:
      return at::kUInt64;
    case ElementType::boolean:
      return at::kBool;
  }
  throw std::invalid_argument("unknown element type");
}

}  // namespace polyhead::model
