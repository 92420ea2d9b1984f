#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/yaml/node.hpp"
#include "context.hpp"

namespace polyhead::config {

/// What the reference tells about an option.
struct OptionDoc {
  std::string key;
  std::string type;
  std::string fallback;  ///< its default; "required" when there is none
  std::string help;
  bool is_list = false;            ///< a list of sections
  std::vector<OptionDoc> options;  ///< of a section
};

/// How a T is read from a document, written to one, and described. Types are values: a section is a type made
/// of its options' types, a list one made of its items' type.
template <class T>
struct Type {
  /// "whole number from 1 to 4096": for the reference and for "expected ...".
  std::string text;
  /// Stores into the T. False: at least one issue was added.
  std::function<bool(const Node&, T&, Context&)> read;
  /// A null node when there is nothing to write.
  std::function<Node(const T&)> write;
  bool is_list = false;
  std::vector<OptionDoc> options;  ///< of a section, or of a list's items
};

/// "expected TEXT, found VALUE; HINT"
void fail_expected(const Node& node, const std::string& text, const std::string& hint, Context& context);

/// A type that is one value. `parse` gives nullopt for what it does not take, and may add a hint how to mend
/// it.
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

}  // namespace polyhead::config
