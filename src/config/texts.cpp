#include "texts.hpp"

#include <functional>
#include <system_error>

#include <fmt/format.h>

#include "config/yaml/utf8.hpp"
#include "expand.hpp"

namespace polyhead::config {
namespace {

using Problem = std::function<std::optional<std::string>(const std::string&)>;

std::string as_text(const std::string& value) {
  return value;
}
std::string as_text(const std::filesystem::path& value) {
  return value.string();
}

/// Completes a text; returns nothing when it has added an issue.
using Complete = std::function<std::optional<std::string>(const Node&, Context&)>;

/// A text to which `problem` has no objection after `complete` has completed it.
template <class T>
Type<T> text_type(const std::string& name, const Problem& problem, const Complete& complete) {
  auto read = [=](const Node& node, T& value, Context& context) {
    if (node.kind != Node::Kind::scalar || node.text.empty()) {
      fail_expected(node, name, "", context);
      return false;
    }
    const auto whole = complete(node, context);
    if (!whole) return false;
    if (const auto found = problem(*whole)) {
      context.fail(node.where, fmt::format("{} {}", shown(*whole), *found));
      return false;
    }
    value = T(*whole);
    return true;
  };
  auto write = [](const T& value) { return quoted(as_text(value)); };
  return {name, std::move(read), std::move(write), false, {}};
}

std::optional<std::string> as_it_is(const Node& node, Context& /*context*/) {
  return node.text;
}

std::string below(const std::filesystem::path& folder, const std::string& text) {
  return (folder / text).lexically_normal().string();
}

/// Node's text with its variables replaced; nothing, and an issue, where that is impossible.
std::optional<Expanded> expanded(const Node& node, bool is_pattern, Context& context) {
  if (!context.expands(node.where)) return Expanded{node.text, false, ""};
  Expanded text = expand(node.text, is_pattern, environment_variable);
  if (text.problem.empty()) return text;
  context.fail(node.where, fmt::format("{} {}", shown(node.text), text.problem));
  return std::nullopt;
}

/// The first file or folder on the way whose real name contains ~ or $, or nothing. The user may mean it, as
/// in configurations that were written before paths were expanded. The file itself need not exist yet.
std::string found_as_written(const std::filesystem::path& folder, const std::filesystem::path& text) {
  std::filesystem::path way;
  for (const std::filesystem::path& step : text) {
    const bool expands = step.native().find('$') != std::string::npos || (way.empty() && step == "~");
    way /= step;
    std::error_code ignored;
    std::string there = below(folder, way.string());
    if (expands && std::filesystem::exists(std::filesystem::symlink_status(there, ignored))) return there;
  }
  return "";
}

std::optional<std::string> absolute_path(const Node& node, Context& context) {
  const auto text = expanded(node, false, context);
  if (!text) return std::nullopt;
  const std::filesystem::path& folder = context.folder(node.where);
  const std::string path = below(folder, text->text);
  if (!text->replaced || path == below(folder, node.text)) return path;
  const std::string there = found_as_written(folder, node.text);
  if (there.empty()) return path;
  context.fail(node.where,
               fmt::format("{} may be meant as it is written, as {} is there, or be {}, with what the "
                           "environment says; "
                           "rename the first, or write out the one that is meant: $$ stands for $, "
                           "./~ for ~",
                           shown(node.text), shown_path(there), shown_path(path)));
  return std::nullopt;
}

std::optional<std::string> absolute_pattern(const Node& node, Context& context) {
  const auto text = expanded(node, true, context);
  if (!text) return std::nullopt;
  return below(escape_pattern(context.folder(node.where).string()), text->text);
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
