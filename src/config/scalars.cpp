#include "scalars.hpp"

#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "quantity.hpp"

namespace polyhead::config {
namespace {

constexpr double kMaxBadSamples = 1e15;

/// Text of a number, if the node may be one.
std::optional<std::string_view> number_text(const Node& node, std::string& hint) {
  if (node.kind != Node::Kind::scalar) return std::nullopt;
  if (node.quoted) {
    hint = "leave out the quotes";
    return std::nullopt;
  }
  return node.text;
}

template <class T>
std::optional<T> parse_integer(const Node& node, T low, T high, std::string& hint) {
  const auto text = number_text(node, hint);
  if (!text) return std::nullopt;
  T value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  const bool is_number = error == std::errc{} && end == text->data() + text->size();
  return is_number && value >= low && value <= high ? std::optional(value) : std::nullopt;
}

std::optional<double> parse_number(const Node& node, double low, double high, std::string& hint) {
  const auto text = number_text(node, hint);
  if (!text) return std::nullopt;
  const auto quantity = split_quantity(*text);
  const bool fits = quantity && quantity->unit.empty() && quantity->number >= low && quantity->number <= high;
  return fits ? std::optional(quantity->number) : std::nullopt;
}

/// "1" used to mean all samples. Since numbers are counts, it could also mean one sample.
std::optional<BadLimit> parse_bad_limit(const Node& node, std::string& hint) {
  if (node.kind != Node::Kind::scalar) return std::nullopt;
  const auto quantity = split_quantity(node.text);
  if (!quantity || !(quantity->unit.empty() || quantity->unit == "%")) return std::nullopt;
  const bool percent = quantity->unit == "%";
  const double value = percent ? quantity->number / 100 : quantity->number;
  if (value == 1 && !percent) hint = "1 may be one sample or all: write 100%, or the share of one sample";
  if (value >= 0 && (percent ? value <= 1 : value < 1)) return BadLimit{value, std::nullopt};
  if (percent || value < 2 || value > kMaxBadSamples || value != std::floor(value)) return std::nullopt;
  return BadLimit{0, static_cast<std::int64_t>(value)};
}

Node write_bad_limit(const BadLimit& limit) {
  if (limit.count) return plain(fmt::format("{}", *limit.count));
  return plain(limit.share < 1 ? fmt::format("{}", limit.share) : "100%");
}

std::optional<std::uint64_t> parse_quantity(const Node& node, std::uint64_t low, std::uint64_t high,
                                            std::span<const Unit> units, std::string& hint) {
  if (node.kind != Node::Kind::scalar) return std::nullopt;
  const auto value = read_quantity(node.text, units, hint);
  return value && *value >= low && *value <= high ? value : std::nullopt;
}

std::optional<std::array<double, 3>> parse_triple(const Node& node, double low, double high,
                                                  std::string& hint) {
  std::array<double, 3> values{};
  if (node.items.size() != values.size()) {
    hint = "write [a, b, c], a number for each channel";
    return std::nullopt;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = parse_number(node.items[i], low, high, hint);
    if (!value) {
      hint = fmt::format("number {} is {}", i + 1, shown(node.items[i]));
      return std::nullopt;
    }
    values[i] = *value;
  }
  return values;
}

/// The shortest text that reads back to the same double.
Node write_number(double value) {
  return plain(fmt::format("{}", value));
}

Node write_triple(const std::array<double, 3>& values) {
  return sequence({write_number(values[0]), write_number(values[1]), write_number(values[2])});
}

std::uint64_t ticks(std::chrono::milliseconds value) {
  return static_cast<std::uint64_t>(value.count());
}

}  // namespace

std::int64_t BadLimit::of(std::int64_t samples) const {
  return count.value_or(static_cast<std::int64_t>(std::floor(share * static_cast<double>(samples))));
}

Type<bool> boolean() {
  const auto parse = [](const Node& node, std::string& /*hint*/) -> std::optional<bool> {
    if (node.kind != Node::Kind::scalar || node.quoted) return std::nullopt;
    if (node.text == "true" || node.text == "false") return node.text == "true";
    return std::nullopt;
  };
  return leaf<bool>("true or false", parse, [](bool value) { return plain(value ? "true" : "false"); });
}

Type<double> number(double low, double high) {
  const auto parse = [low, high](const Node& node, std::string& hint) {
    return parse_number(node, low, high, hint);
  };
  return leaf<double>(fmt::format("number from {} to {}", low, high), parse, write_number);
}

Type<std::optional<int>> integer_or(const std::string& word, int low, int high) {
  using Value = std::optional<int>;
  const auto parse = [=](const Node& node, std::string& hint) -> std::optional<Value> {
    if (node.kind == Node::Kind::scalar && node.text == word) return Value{};
    const Value value = parse_integer(node, low, high, hint);
    return value ? std::optional<Value>(value) : std::nullopt;
  };
  const auto write = [word](const Value& value) { return plain(value ? fmt::format("{}", *value) : word); };
  return leaf<Value>(fmt::format("whole number from {} to {}, or {}", low, high, word), parse, write);
}

Type<int> integer(int low, int high) {
  const auto parse = [low, high](const Node& node, std::string& hint) {
    return parse_integer(node, low, high, hint);
  };
  const auto write = [](int value) { return plain(fmt::format("{}", value)); };
  return leaf<int>(fmt::format("whole number from {} to {}", low, high), parse, write);
}

Type<std::uint64_t> count(std::uint64_t low, std::uint64_t high) {
  const auto parse = [low, high](const Node& node, std::string& hint) {
    return parse_integer(node, low, high, hint);
  };
  const auto write = [](std::uint64_t value) { return plain(fmt::format("{}", value)); };
  return leaf<std::uint64_t>(fmt::format("whole number from {} to {}", low, high), parse, write);
}

Type<std::array<double, 3>> triple(double low, double high) {
  const auto parse = [low, high](const Node& node, std::string& hint) {
    return parse_triple(node, low, high, hint);
  };
  return leaf<std::array<double, 3>>(fmt::format("list of 3 numbers from {} to {}", low, high), parse,
                                     write_triple);
}

Type<BadLimit> bad_limit() {
  Type<BadLimit> type = leaf<BadLimit>("share below 1, from 0% to 100%, or a number of samples from 2",
                                       parse_bad_limit, write_bad_limit);
  // Configurations in results of older versions say 1 for all samples, and users cannot edit them.
  type.read = [read = type.read](const Node& node, BadLimit& limit, Context& context) {
    if (node.text != "1" || context.expands(node.where)) return read(node, limit, context);
    limit = {1, std::nullopt};
    return true;
  };
  return type;
}

Type<std::uint64_t> size(std::uint64_t low, std::uint64_t high) {
  const auto parse = [low, high](const Node& node, std::string& hint) {
    return parse_quantity(node, low, high, size_units(), hint);
  };
  const auto write = [](std::uint64_t value) { return plain(write_quantity(value, size_units())); };
  const std::string text = fmt::format("size from {} to {}", write_quantity(low, size_units()),
                                       write_quantity(high, size_units()));
  return leaf<std::uint64_t>(text, parse, write);
}

Type<std::chrono::milliseconds> duration(std::chrono::milliseconds low, std::chrono::milliseconds high) {
  using Value = std::chrono::milliseconds;
  const auto parse = [low, high](const Node& node, std::string& hint) -> std::optional<Value> {
    const auto value = parse_quantity(node, ticks(low), ticks(high), duration_units(), hint);
    return value ? std::optional(Value(static_cast<std::int64_t>(*value))) : std::nullopt;
  };
  const auto write = [](Value value) { return plain(write_quantity(ticks(value), duration_units())); };
  const std::string text = fmt::format("duration from {} to {}", write_quantity(ticks(low), duration_units()),
                                       write_quantity(ticks(high), duration_units()));
  return leaf<Value>(text, parse, write);
}

Type<std::optional<std::chrono::milliseconds>> duration_or(const std::string& word,
                                                           std::chrono::milliseconds low,
                                                           std::chrono::milliseconds high) {
  using Value = std::optional<std::chrono::milliseconds>;
  const auto parse = [=](const Node& node, std::string& hint) -> std::optional<Value> {
    if (node.kind == Node::Kind::scalar && node.text == word) return Value{};
    const auto value = parse_quantity(node, ticks(low), ticks(high), duration_units(), hint);
    return value ? std::optional<Value>(static_cast<std::int64_t>(*value)) : std::nullopt;
  };
  const auto write = [word](const Value& value) {
    return plain(value ? write_quantity(ticks(*value), duration_units()) : word);
  };
  const std::string text =
      fmt::format("duration from {} to {}, or {}", write_quantity(ticks(low), duration_units()),
                  write_quantity(ticks(high), duration_units()), word);
  return leaf<Value>(text, parse, write);
}

}  // namespace polyhead::config
