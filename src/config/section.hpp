#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/yaml/emit.hpp"
#include "polyhead/base/text.hpp"
#include "type.hpp"

namespace polyhead::config {

/// One option of a section that is kept in an S, with all its properties.
template <class S>
struct Option {
  OptionDoc doc;
  bool is_required = false;
  std::function<bool(const Node&, S&, Context&)> read;
  std::function<Node(const S&)> write;

  /// Sets the reference's text for a default that is not a plain value.
  Option defaults_to(std::string text) && {
    doc.fallback = std::move(text);
    return std::move(*this);
  }

  /// Where `when` does not hold, the option may be left out whatever it requires, and is not written.
  Option only_if(std::function<bool(const S&)> when) && {
    read = [read = std::move(read), when](const Node& node, S& section, Context& context) {
      const bool absent = node.kind == Node::Kind::null;
      return (absent && !when(section)) || read(node, section, context);
    };
    write = [write = std::move(write), when](const S& section) {
      return when(section) ? write(section) : Node{};
    };
    return std::move(*this);
  }

  /// The reference does not repeat what the option holds.
  Option described_elsewhere() && {
    doc.options.clear();
    return std::move(*this);
  }
};

/// An option with the default that a fresh S has.
template <class S, class T>
Option<S> option(std::string key, T S::*member, const Type<T>& type, std::string help) {
  const bool is_section = !type.options.empty();
  OptionDoc doc{std::move(key),  type.text,    is_section ? "" : emit_flow(type.write(S{}.*member)),
                std::move(help), type.is_list, type.options};
  return {std::move(doc), false,
          [member, read = type.read](const Node& node, S& section, Context& context) {
            return read(node, section.*member, context);
          },
          [member, write = type.write](const S& section) { return write(section.*member); }};
}

/// A required option.
template <class S, class T>
Option<S> required(std::string key, T S::*member, const Type<T>& type, std::string help) {
  Option<S> result = option(std::move(key), member, type, std::move(help)).defaults_to("required");
  result.is_required = true;
  return result;
}

/// "is a colon missing after 'path'?", where a text begins with the name of an option; else empty.
std::string missing_colon(std::string_view text, const std::vector<std::string>& known);

/// "unknown option; did you mean 'path'? Options of data: format, path"
void fail_unknown(const Entry& entry, const std::vector<std::string>& known, Context& context);
void fail_missing(const OptionDoc& doc, const Location& section, Context& context);

/// Checks a section after reading, even if some of its options were wrong. It adds issues or completes the
/// section.
template <class S>
using Check = std::function<void(S&, const Node&, Context&)>;

/// Reads a section's options, each from its key; an empty node stands for a section without any.
template <class S>
struct SectionReader {
  std::vector<Option<S>> options;
  Check<S> check;

  bool operator()(const Node& node, S& section, Context& context) const {
    const std::size_t before = context.failures();
    if (node.kind == Node::Kind::map || node.kind == Node::Kind::null) {
      for (const Entry& entry : node.entries) read_entry(entry, section, context);
      for (const Option<S>& option : options) read_absent(option, node, section, context);
      if (check) check(section, node, context);
    } else {
      fail_expected(node, "a section with the options " + join(keys()), missing_colon(node.text, keys()),
                    context);
    }
    return context.failures() == before;
  }

 private:
  [[nodiscard]] std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    for (const Option<S>& option : options) keys.push_back(option.doc.key);
    return keys;
  }

  void read_entry(const Entry& entry, S& section, Context& context) const {
    const auto option = std::find_if(options.begin(), options.end(),
                                     [&](const Option<S>& o) { return o.doc.key == entry.key; });
    if (option == options.end()) return fail_unknown(entry, keys(), context);
    const Context::Scope scope(context, entry.key);
    context.record(entry.value.where);
    option->read(entry.value, section, context);
  }

  /// Reads an option of an omitted section, which may be required all the same.
  void read_absent(const Option<S>& option, const Node& node, S& section, Context& context) const {
    if (node.find(option.doc.key) != nullptr) return;
    if (option.is_required) return fail_missing(option.doc, node.where, context);
    if (option.doc.options.empty() || option.doc.is_list) return;
    const Context::Scope scope(context, option.doc.key);
    Node empty;
    empty.where = node.where;
    option.read(empty, section, context);
  }
};

/// A type made of options.
template <class S>
Type<S> section(std::vector<Option<S>> options, Check<S> check = {}) {
  Type<S> type;
  type.text = "section";
  for (const Option<S>& option : options) type.options.push_back(option.doc);
  type.write = [options](const S& value) {
    Node node;
    node.kind = Node::Kind::map;
    for (const Option<S>& option : options) {
      Node written = option.write(value);
      if (written.kind != Node::Kind::null) node.entries.push_back({option.doc.key, {}, std::move(written)});
    }
    return node.entries.empty() ? Node{} : node;
  };
  type.read = SectionReader<S>{std::move(options), std::move(check)};
  return type;
}

/// A section that may be omitted, and has required options where it is given.
template <class S>
Type<std::optional<S>> optional_section(const Type<S>& inner) {
  auto read = [inner](const Node& node, std::optional<S>& value, Context& context) {
    if (node.kind == Node::Kind::null) return true;
    return inner.read(node, value.emplace(), context);
  };
  auto write = [inner](const std::optional<S>& value) { return value ? inner.write(*value) : Node{}; };
  return {inner.text, std::move(read), std::move(write), false, inner.options};
}

/// A list of at least one item.
template <class T>
Type<std::vector<T>> list(const Type<T>& item, const std::string& text) {
  auto read = [item, text](const Node& node, std::vector<T>& values, Context& context) {
    if (node.items.empty()) {
      fail_expected(node, text, "", context);
      return false;
    }
    return read_items(item, node, values, context);
  };
  auto write = [item](const std::vector<T>& values) { return sequence(written_items(item, values)); };
  return {text, std::move(read), std::move(write), true, item.options};
}

}  // namespace polyhead::config
