#include "node.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "utf8.hpp"

namespace polyhead::config {

const Node* Node::find(std::string_view key) const {
  const auto entry =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == key; });
  return entry == entries.end() ? nullptr : &entry->value;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(std::as_const(*this).find(key));
}

Node plain(std::string text) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.text = std::move(text);
  return node;
}

Node quoted(const std::string& text) {
  if (text.empty()) return {};
  Node node = plain(text);
  node.quoted = true;
  return node;
}

Node sequence(std::vector<Node> items) {
  Node node;
  node.kind = Node::Kind::sequence;
  node.items = std::move(items);
  return node;
}

std::string shown(std::string_view text, std::size_t longest) {
  std::size_t end = std::min(text.size(), longest);
  if (end < text.size()) {
    while (end > 0 && continues_a_character(text[end])) --end;
  }
  std::string result = "'";
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    result += byte < 0x20 || byte == 0x7F ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return result + (end < text.size() ? "...'" : "'");
}

std::string shown_path(const std::filesystem::path& path) {
  const std::string text = path.string();
  return shown(text, text.size());
}

std::string shown(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return shown(node.text);
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return {};
}

}  // namespace polyhead::config
