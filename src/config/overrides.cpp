#include "overrides.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "config/yaml/document.hpp"

namespace polyhead::config {
namespace {

constexpr std::size_t kMaxSteps = 16;  // deeper than any option

/// A step from a node to its child: by the key of a map, or by the number of a list's item.
struct Step {
  std::string key;
  std::optional<std::size_t> index;
};

bool is_key_character(char c) {
  return c != '.' && c != '[' && c != ']' && c != ' ';
}

std::optional<Step> take_index(std::string_view& path) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(path.data() + 1, path.data() + path.size(), index);
  const auto length = static_cast<std::size_t>(end - path.data());
  if (error != std::errc{} || length == path.size() || *end != ']') return std::nullopt;
  path.remove_prefix(length + 1);
  return Step{{}, index};
}

std::optional<Step> take_key(std::string_view& path) {
  const auto length =
      static_cast<std::size_t>(std::find_if_not(path.begin(), path.end(), is_key_character) - path.begin());
  if (length == 0) return std::nullopt;
  Step step{std::string(path.substr(0, length)), std::nullopt};
  path.remove_prefix(length);
  return step;
}

/// "heads[0].weight" -> heads, 0, weight. Empty when it is not of that form.
std::vector<Step> parse_path(std::string_view path) {
  std::vector<Step> steps;
  bool expects_key = true;
  while (!path.empty() || expects_key) {
    const bool is_index = !expects_key && path.front() == '[';
    if (!is_index && !expects_key) {
      if (path.front() != '.') return {};
      path.remove_prefix(1);
    }
    auto step = is_index ? take_index(path) : take_key(path);
    if (!step || steps.size() == kMaxSteps) return {};
    steps.push_back(std::move(*step));
    expects_key = false;
  }
  return steps;
}

/// Value that a step leads to, made if a map lacks it; null, with the reason, when there is no such way.
Node* follow(Node& node, const Step& step, const Location& where, std::string& reason) {
  if (step.index) {
    if (*step.index < node.items.size()) return &node.items[*step.index];
    reason = node.kind == Node::Kind::sequence
                 ? fmt::format("there is no item {}: the list has {}, counted from 0", *step.index,
                               node.items.size())
                 : fmt::format("item {} of {}: only a list has items", *step.index, shown(node));
    return nullptr;
  }
  if (node.kind != Node::Kind::map && node.kind != Node::Kind::null) {
    reason = fmt::format("'{}' cannot be set inside {}", step.key, shown(node));
    return nullptr;
  }
  if (Node* found = node.find(step.key)) return found;
  node.kind = Node::Kind::map;
  node.entries.push_back({step.key, where, {}});
  node.entries.back().value.where = where;
  return &node.entries.back().value;
}

void put(Node& root, const std::vector<Step>& steps, Node value, const Location& where,
         std::vector<Issue>& issues) {
  Node* node = &root;
  for (const Step& step : steps) {
    std::string reason;
    node = follow(*node, step, where, reason);
    if (node == nullptr) return issues.push_back({where, reason});
  }
  *node = std::move(value);
}

}  // namespace

void apply_override(Node& root, const std::string& text, std::vector<Issue>& issues) {
  const Location where{"--set " + text, 0, 0};
  const std::size_t equals = text.find('=');
  const auto steps = parse_path(std::string_view(text).substr(0, equals));
  if (equals == std::string::npos || steps.empty()) {
    issues.push_back({where, "expected key=value, such as output.head_scores=true or heads[0].weight=2"});
    return;
  }
  try {
    Node value = parse_document(text.substr(equals + 1), {where.source, false}, issues);
    value.where = where;
    put(root, steps, std::move(value), where, issues);
  } catch (const ConfigError& error) {
    issues.insert(issues.end(), error.issues().begin(), error.issues().end());
  }
}

}  // namespace polyhead::config
