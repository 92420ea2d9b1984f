#include "texts.hpp"

#include <functional>

#include <fmt/format.h>

#include "utf8.hpp"

namespace polyhead::config {
namespace {

using Problem = std::function<std::optional<std::string>(const std::string&)>;

std::string as_text(const std::string& value) {
  return value;
}
std::string as_text(const std::filesystem::path& value) {
  return value.string();
}

/// A text that `problem` has nothing against, after `complete` has made it whole.
template <class T>
Type<T> text_type(const std::string& name, const Problem& problem,
                  const std::function<std::string(const Node&, const Context&)>& complete) {
  auto read = [=](const Node& node, T& value, Context& context) {
    if (node.kind != Node::Kind::scalar || node.text.empty()) {
      fail_expected(node, name, "", context);
      return false;
    }
    const std::string whole = complete(node, context);
    if (const auto found = problem(whole)) {
      context.fail(node.where, fmt::format("{} {}", shown(whole), *found));
      return false;
    }
    value = T(whole);
    return true;
  };
  auto write = [](const T& value) { return quoted(as_text(value)); };
  return {name, std::move(read), std::move(write), false, {}};
}

std::string as_it_is(const Node& node, const Context& /*context*/) {
  return node.text;
}

std::string absolute_path(const Node& node, const Context& context) {
  return (context.folder(node.where) / node.text).lexically_normal().string();
}

/// glob(7) takes these characters literally after a backslash.
std::string escape_pattern(const std::string& folder) {
  std::string escaped;
  for (const char c : folder) {
    if (std::string_view("*?[]\\").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string absolute_pattern(const Node& node, const Context& context) {
  const std::filesystem::path folder = escape_pattern(context.folder(node.where).string());
  return (folder / node.text).lexically_normal().string();
}

}  // namespace

Type<std::string> text() {
  return text_type<std::string>("text", problem_of_text, as_it_is);
}

Type<std::optional<std::string>> text_or_auto() {
  using Value = std::optional<std::string>;
  const auto parse = [](const Node& node, std::string& /*hint*/) -> std::optional<Value> {
    if (node.kind != Node::Kind::scalar) return std::nullopt;
    if (!node.quoted && node.text == "auto") return Value{};
    return node.text.empty() || !problem_of_text(node.text) ? std::optional(Value(node.text)) : std::nullopt;
  };
  const auto write = [](const Value& value) {
    Node node = plain(value.value_or("auto"));
    node.quoted = value.has_value();
    return node;
  };
  return leaf<Value>("text, '' or auto", parse, write);
}

Type<std::map<std::string, std::string>> text_map() {
  using Value = std::map<std::string, std::string>;
  const auto parse = [](const Node& node, std::string& hint) -> std::optional<Value> {
    if (node.kind != Node::Kind::map) return std::nullopt;
    Value value;
    for (const Entry& entry : node.entries) {
      const bool is_text = entry.value.kind == Node::Kind::scalar && !problem_of_text(entry.key) &&
                           (entry.value.text.empty() || !problem_of_text(entry.value.text));
      if (!is_text) {
        hint = fmt::format("{} stands for {}", shown(entry.key), shown(entry.value));
        return std::nullopt;
      }
      value.emplace(entry.key, entry.value.text);
    }
    return value;
  };
  const auto write = [](const Value& value) {
    Node node;
    node.kind = value.empty() ? Node::Kind::null : Node::Kind::map;
    for (const auto& [from, to] : value) {
      Entry& entry = node.entries.emplace_back();
      entry.key = from;
      entry.value = plain(to);
      entry.value.quoted = true;
    }
    return node;
  };
  return leaf<Value>("map of texts, as {fc1: 0}", parse, write);
}

Type<std::string> head_name() {
  return text_type<std::string>(fmt::format("text of at most {} bytes", kMaxHeadName), problem_of_head_name,
                                as_it_is);
}

Type<std::filesystem::path> path() {
  return text_type<std::filesystem::path>("path", problem_of_text, absolute_path);
}

Type<std::string> pattern() {
  return text_type<std::string>("path with *, ? or [...]", problem_of_text, absolute_pattern);
}

std::optional<std::string> problem_of_head_name(const std::string& name) {
  if (name.size() > kMaxHeadName) return fmt::format("is longer than {} bytes", kMaxHeadName);
  return problem_of_text(name);
}

std::optional<std::string> problem_of_text(const std::string& text) {
  if (text.empty()) return "is empty";
  if (malformed_utf8(text)) return "is not UTF-8 text";
  if (has_control_character(text)) return "has a control character in it";
  return std::nullopt;
}

}  // namespace polyhead::config
