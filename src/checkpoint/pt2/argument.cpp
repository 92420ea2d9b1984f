#include "argument.hpp"

#include <array>
#include <limits>

#include <fmt/format.h>

#include "polyhead/checkpoint/fail.hpp"

namespace polyhead::checkpoint::exported {
namespace {

/// JSON has no words for what is not finite; the exporter writes texts.
double float_of(const Fields& fields, const Json& value) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (value.is_number()) return value.get<double>();
  if (value == "Infinity") return kInfinity;
  if (value == "-Infinity") return -kInfinity;
  if (value == "NaN") return std::numeric_limits<double>::quiet_NaN();
  fields.fail("has a value that is no number");
}

bool truth_of(const Fields& fields, const Json& value) {
  if (!value.is_boolean()) fields.fail("has a value that is neither true nor false");
  return value.get<bool>();
}

std::string text_of(const Fields& fields, const Json& value) {
  if (!value.is_string()) fields.fail("has a value that is no text");
  return value.get<std::string>();
}

template <class Read>
auto list_of(const Fields& fields, const Json& value, const Read& read) {
  std::vector<decltype(read(fields, value))> items;
  if (!value.is_array()) fields.fail("has a value that is no list");
  items.reserve(value.size());
  for (const Json& item : value) items.push_back(read(fields, item));
  return items;
}

Number number_of(const Fields& fields, const Json& value) {
  const Fields number(fields.file(), value, "a number");
  const Choice choice = choice_of(number);
  if (choice.kind == "as_int") return integer_of(fields, choice.value);
  if (choice.kind == "as_name") return Name{text_of(fields, choice.value)};
  fields.fail(fmt::format("has a number of kind '{}', which is not read", printable(choice.kind)));
}

std::optional<Name> optional_tensor(const Fields& fields, const Json& value) {
  const Fields tensor(fields.file(), value, "an optional tensor");
  const Choice choice = choice_of(tensor);
  if (choice.kind == "as_none") return std::nullopt;
  if (choice.kind != "as_tensor")
    fields.fail(fmt::format("has a '{}' where a tensor or nothing should be", printable(choice.kind)));
  return Name{tensor_name(fields, choice.value)};
}

Argument optional_argument(const Fields& fields, const Json& value) {
  std::optional<Name> name = optional_tensor(fields, value);
  if (!name) return std::monostate{};
  return *std::move(name);
}

Argument device_of(const Fields& fields, const Json& value) {
  return Device{Fields(fields.file(), value, "a device").text("type")};
}

/// How to read a value of a kind.
struct Kind {
  std::string_view name;
  Argument (*read)(const Fields& fields, const Json& value);
};

constexpr std::array kKinds{
    Kind{"as_none", [](const Fields&, const Json&) -> Argument { return std::monostate{}; }},
    Kind{
        "as_tensor",
        [](const Fields& fields, const Json& value) -> Argument { return Name{tensor_name(fields, value)}; }},
    Kind{"as_tensors",
         [](const Fields& fields, const Json& value) -> Argument {
           return list_of(fields, value, [](const Fields& of, const Json& item) {
             return std::optional<Name>(Name{tensor_name(of, item)});
           });
         }},
    Kind{"as_optional_tensor", optional_argument},
    Kind{"as_optional_tensors",
         [](const Fields& fields, const Json& value) -> Argument {
           return list_of(fields, value, optional_tensor);
         }},
    Kind{"as_int",
         [](const Fields& fields, const Json& value) -> Argument {
           return Number(integer_of(fields, value));
         }},
    Kind{"as_ints",
         [](const Fields& fields, const Json& value) -> Argument {
           return list_of(fields, value,
                          [](const Fields& of, const Json& item) { return Number(integer_of(of, item)); });
         }},
    Kind{"as_sym_int",
         [](const Fields& fields, const Json& value) -> Argument { return number_of(fields, value); }},
    Kind{"as_sym_ints",
         [](const Fields& fields, const Json& value) -> Argument {
           return list_of(fields, value, number_of);
         }},
    Kind{"as_float",
         [](const Fields& fields, const Json& value) -> Argument { return float_of(fields, value); }},
    Kind{
        "as_floats",
        [](const Fields& fields, const Json& value) -> Argument { return list_of(fields, value, float_of); }},
    Kind{"as_bool",
         [](const Fields& fields, const Json& value) -> Argument { return truth_of(fields, value); }},
    Kind{
        "as_bools",
        [](const Fields& fields, const Json& value) -> Argument { return list_of(fields, value, truth_of); }},
    Kind{"as_string",
         [](const Fields& fields, const Json& value) -> Argument { return text_of(fields, value); }},
    Kind{"as_scalar_type",
         [](const Fields& fields, const Json& value) -> Argument {
           return Code{Code::Kind::scalar_type, integer_of(fields, value)};
         }},
    Kind{"as_layout",
         [](const Fields& fields, const Json& value) -> Argument {
           return Code{Code::Kind::layout, integer_of(fields, value)};
         }},
    Kind{"as_memory_format",
         [](const Fields& fields, const Json& value) -> Argument {
           return Code{Code::Kind::memory_format, integer_of(fields, value)};
         }},
    Kind{"as_device", device_of}};

}  // namespace

std::string tensor_name(const Fields& fields, const Json& value) {
  return Fields(fields.file(), value, "a tensor").text("name");
}

Argument read_argument(const Fields& argument) {
  const Choice choice = choice_of(argument);
  for (const Kind& kind : kKinds) {
    if (kind.name == choice.kind) return kind.read(argument, choice.value);
  }
  argument.fail(
      fmt::format("has an argument of kind '{}', which is not read: quantised models, control flow "
                  "(torch.cond) and objects of other classes are not supported",
                  printable(choice.kind)));
}

std::vector<std::string> read_output(const Fields& output) {
  const Choice choice = choice_of(output);
  if (choice.kind == "as_tensor") return {tensor_name(output, choice.value)};
  if (choice.kind == "as_tensors") {
    return list_of(output, choice.value,
                   [](const Fields& of, const Json& item) { return tensor_name(of, item); });
  }
  if (choice.kind == "as_none") return {std::string()};
  if (choice.kind == "as_optional_tensor") {
    const std::optional<Name> name = optional_tensor(output, choice.value);
    return {name ? name->text : std::string()};
  }
  if (choice.kind == "as_sym_int") {
    const Number number = number_of(output, choice.value);
    if (const auto* name = std::get_if<Name>(&number)) return {name->text};
  }
  output.fail(fmt::format("has an output of kind '{}', which is not read", printable(choice.kind)));
}

Dimension read_dimension(const Fields& dimension) {
  const Choice choice = choice_of(dimension);
  if (choice.kind == "as_int") return integer_of(dimension, choice.value);
  if (choice.kind == "as_expr") return dimension.object("as_expr").text("expr_str");
  dimension.fail(fmt::format("has a size of kind '{}', which is not read", printable(choice.kind)));
}

}  // namespace polyhead::checkpoint::exported
