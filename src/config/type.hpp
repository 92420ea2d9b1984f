#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/yaml/node.hpp"
#include "context.hpp"

namespace polyhead::config {

/// Entry of the reference about an option.
struct OptionDoc {
  std::string key;
  std::string type;
  std::string fallback;  ///< default; "required" when there is none
  std::string help;
  bool is_list = false;            ///< a list of sections
  std::vector<OptionDoc> options;  ///< options of a section
};

/// Reading, writing and description of a T. Types are values: a section is a type made of its options' types,
/// a list one made of its items' type.
template <class T>
struct Type {
  /// "whole number from 1 to 4096": for the reference and for "expected ...".
  std::string text;
  /// Reads a node into the T. Returns false after adding at least one issue.
  std::function<bool(const Node&, T&, Context&)> read;
  /// Writes a T; a null node when there is nothing to write.
  std::function<Node(const T&)> write;
  bool is_list = false;
  std::vector<OptionDoc> options;  ///< options of a section, or of a list's items
};

/// "expected TEXT, found VALUE; HINT"
void fail_expected(const Node& node, const std::string& text, const std::string& hint, Context& context);

/// A type that is one value. `parse` returns nullopt for a text that it does not accept, and may add a hint
/// how to mend it.
template <class T>
Type<T> leaf(const std::string& text, std::function<std::optional<T>(const Node&, std::string& hint)> parse,
             std::function<Node(const T&)> write) {
  auto read = [text, parse = std::move(parse)](const Node& node, T& value, Context& context) {
    std::string hint;
    auto parsed = parse(node, hint);
    if (parsed) {
      value = std::move(*parsed);
    } else {
      fail_expected(node, text, hint, context);
    }
    return parsed.has_value();
  };
  return {text, std::move(read), std::move(write), false, {}};
}

/// Reads a list's items, each with its place. Returns whether all are good.
template <class T>
bool read_items(const Type<T>& item, const Node& node, std::vector<T>& values, Context& context) {
  bool good = true;
  values.assign(node.items.size(), T{});
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Context::Scope scope(context, i);
    context.record(node.items[i].where);
    good = item.read(node.items[i], values[i], context) && good;
  }
  return good;
}

/// Nodes of a list's items.
template <class T>
std::vector<Node> written_items(const Type<T>& item, const std::vector<T>& values) {
  std::vector<Node> items;
  items.reserve(values.size());
  for (const T& value : values) items.push_back(item.write(value));
  return items;
}

}  // namespace polyhead::config
