#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "polyhead/base/text.hpp"
#include "polyhead/config/config.hpp"
#include "type.hpp"
#include "words.hpp"

/// Types of options that are one value.
namespace polyhead::config {

Type<bool> boolean();
Type<double> number(double low, double high);
/// A whole number, or a word for the empty optional: `auto`, `none`.
Type<std::optional<int>> integer_or(const std::string& word, int low, int high);
Type<int> integer(int low, int high);
/// A whole number that may be larger than an int.
Type<std::uint64_t> count(std::uint64_t low, std::uint64_t high);
/// Three numbers, one per channel.
Type<std::array<double, 3>> triple(double low, double high);
/// `0.1%`, `0.001`, or a number of samples: `5`. A plain 1 could be either, and is refused.
Type<BadLimit> bad_limit();
/// A size in bytes: `64MiB`.
Type<std::uint64_t> size(std::uint64_t low, std::uint64_t high);
/// `30s`
Type<std::chrono::milliseconds> duration(std::chrono::milliseconds low, std::chrono::milliseconds high);
/// A duration, or a word for the empty optional.
Type<std::optional<std::chrono::milliseconds>> duration_or(const std::string& word,
                                                           std::chrono::milliseconds low,
                                                           std::chrono::milliseconds high);

/// One of an enumeration's words.
template <class E>
Type<E> word() {
  const auto parse = [](const Node& node, std::string& hint) -> std::optional<E> {
    if (node.kind != Node::Kind::scalar) return std::nullopt;
    if (const E* value = find_word<E>(node.text)) return *value;
    hint = did_you_mean(node.text, word_list<E>());
    return std::nullopt;
  };
  const auto write = [](const E& value) {
    for (const Word<E>& word : kWords<E>) {
      if (word.value == value) return plain(std::string(word.text));
    }
    return Node{};
  };
  const auto words = word_list<E>();
  return leaf<E>((words.size() > 1 ? "one of " : "") + join(words), parse, write);
}

/// A list of an enumeration's words, each once, kept in the enumeration's order; an empty list is not
/// written. One word may stand without brackets, and `none` for the empty list.
template <class E>
Type<std::vector<E>> words() {
  const std::string text = "list of words: " + join(word_list<E>());
  const auto item = word<E>();
  auto read = [text, item](const Node& node, std::vector<E>& values, Context& context) {
    if (node.kind == Node::Kind::scalar) {
      values.clear();
      return node.text == "none" || item.read(node, values.emplace_back(), context);
    }
    if (node.kind == Node::Kind::map) {
      fail_expected(node, text, "", context);
      return false;
    }
    const bool good = read_items(item, node, values, context);
    std::ranges::sort(values);
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return good;
  };
  auto write = [item](const std::vector<E>& values) {
    return values.empty() ? Node{} : sequence(written_items(item, values));
  };
  return {text, std::move(read), std::move(write), false, {}};
}

}  // namespace polyhead::config
