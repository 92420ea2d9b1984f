#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/config/location.hpp"

namespace polyhead::config {

struct Entry;

/// A value of a YAML document: what yaml-cpp's events are turned into, and what `to_yaml` is written from.
struct Node {
  enum class Kind { null, scalar, sequence, map };

  Kind kind = Kind::null;
  std::string text;     ///< of a scalar
  bool quoted = false;  ///< a scalar in quotes, so never a number or a word of its own
  Location where;
  std::vector<Node> items;     ///< of a sequence
  std::vector<Entry> entries;  ///< of a map, in the file's order; keys differ

  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] Node* find(std::string_view key);
};

/// A key of a map, where it stands, and its value.
struct Entry {
  std::string key;
  Location where;
  Node value;
};

Node plain(std::string text);
/// A null node for an empty text: there is nothing to write.
Node quoted(const std::string& text);
Node sequence(std::vector<Node> items);

/// A text from a file for a message: in single quotes, control characters escaped, cut when it is long.
std::string shown(std::string_view text, std::size_t longest = 60);
/// The same for a path, which is never cut.
std::string shown_path(const std::filesystem::path& path);
/// "'abc'", "a list", "a map", "nothing"
std::string shown(const Node& node);

}  // namespace polyhead::config
