#include "polyhead/graph/graph.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/checkpoint/shape.hpp"

namespace polyhead::graph {

const Argument* find(const Node& node, std::string_view name) {
  const auto found =
      std::ranges::find_if(node.arguments, [&](const auto& argument) { return argument.first == name; });
  return found == node.arguments.end() ? nullptr : &found->second;
}

void for_each_value(const Node& node, const std::function<void(Value)>& use) {
  for (const auto& [name, argument] : node.arguments) {
    if (const auto* value = std::get_if<Value>(&argument)) use(*value);
    if (const auto* values = std::get_if<Values>(&argument)) {
      for (const auto& value : *values)
        if (value) use(*value);
    }
  }
}

std::int64_t elements_of(const Tensor& tensor) {
  std::int64_t count = 1;
  for (const std::int64_t size : tensor.shape) count *= size;
  return count;
}

std::int64_t bytes_of(const Tensor& tensor) {
  return elements_of(tensor) * static_cast<std::int64_t>(checkpoint::size_of(tensor.type));
}

std::string text_of(const Argument& argument) {
  if (const auto* number = std::get_if<std::int64_t>(&argument)) return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&argument)) return fmt::format("{}", *number);
  if (const auto* truth = std::get_if<bool>(&argument)) return *truth ? "True" : "False";
  if (const auto* text = std::get_if<std::string>(&argument)) return checkpoint::printable(*text);
  if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&argument))
    return checkpoint::shape_text(*numbers);
  if (std::holds_alternative<std::monostate>(argument)) return "None";
  return "a value";
}

Digest content_of(const Tensor& tensor, std::span<const std::byte> elements) {
  Hasher hasher;
  hasher.update(static_cast<std::int64_t>(tensor.type));
  hasher.update(static_cast<std::int64_t>(tensor.shape.size()));
  for (const std::int64_t size : tensor.shape) hasher.update(size);
  return hasher.update(elements).digest();
}

}  // namespace polyhead::graph
