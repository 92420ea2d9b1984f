#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/config/location.hpp"

namespace polyhead::config {

struct Entry;

/// A value of a YAML document: built from yaml-cpp's events, and written by `to_yaml`.
struct Node {
  enum class Kind { null, scalar, sequence, map };

  Kind kind = Kind::null;
  std::string text;     ///< text of a scalar
  bool quoted = false;  ///< whether a scalar is in quotes, and so never a number or a word of its own
  Location where;
  std::vector<Node> items;     ///< items of a sequence
  std::vector<Entry> entries;  ///< entries of a map, in the file's order; keys differ

  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] Node* find(std::string_view key);
};

/// A key of a map, its location, and its value.
struct Entry {
  std::string key;
  Location where;
  Node value;
};

Node plain(std::string text);
/// A quoted scalar; a null node for an empty text, since there is nothing to write.
Node quoted(const std::string& text);
Node sequence(std::vector<Node> items);

/// Text from a file, fit for a message: in single quotes, control characters escaped, cut when it is long.
std::string shown(std::string_view text, std::size_t longest = 60);
/// Path, fit for a message; it is never cut.
std::string shown_path(const std::filesystem::path& path);
/// "'abc'", "a list", "a map", "nothing"
std::string shown(const Node& node);

}  // namespace polyhead::config
