#include "emit.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace polyhead::config {
namespace {

constexpr int kBlockLevels = 2;

/// Double quotes are YAML's only style that can hold every character.
std::string quote(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02x}", byte);
      continue;
    }
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

void append_flow(const Node& node, std::string& out);

/// Text of a key. Options are plain words; labels may be any text.
std::string key_text(const std::string& key) {
  const bool plain = std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  return plain && !key.empty() && key != "null" ? key : quote(key);
}

void append_flow_map(const Node& node, std::string& out) {
  out += '{';
  const char* separator = "";
  for (const Entry& entry : node.entries) {
    out += separator + key_text(entry.key) + ": ";
    append_flow(entry.value, out);
    separator = ", ";
  }
  out += '}';
}

void append_flow_sequence(const Node& node, std::string& out) {
  out += '[';
  const char* separator = "";
  for (const Node& item : node.items) {
    out += separator;
    append_flow(item, out);
    separator = ", ";
  }
  out += ']';
}

void append_flow(const Node& node, std::string& out) {
  switch (node.kind) {
    case Node::Kind::null:
      out += "null";
      break;
    case Node::Kind::scalar:
      out += node.quoted ? quote(node.text) : node.text;
      break;
    case Node::Kind::sequence:
      append_flow_sequence(node, out);
      break;
    case Node::Kind::map:
      append_flow_map(node, out);
      break;
  }
}

void append_block(const Node& node, int level, std::string& out);

void append_value(const Node& node, int level, std::string& out) {
  if (level < kBlockLevels && !(node.items.empty() && node.entries.empty())) {
    out += '\n';
    append_block(node, level, out);
  } else {
    out += ' ';
    append_flow(node, out);
    out += '\n';
  }
}

void append_block(const Node& node, int level, std::string& out) {
  const std::string indent(static_cast<std::size_t>(2 * level), ' ');
  for (const Entry& entry : node.entries) {
    out += indent + key_text(entry.key) + ':';
    append_value(entry.value, level + 1, out);
  }
  for (const Node& item : node.items) {
    out += indent + "- ";
    append_flow(item, out);
    out += '\n';
  }
}

}  // namespace

std::string emit_flow(const Node& node) {
  std::string out;
  append_flow(node, out);
  return out;
}

std::string emit(const Node& node) {
  std::string out;
  append_block(node, 0, out);
  return out;
}

}  // namespace polyhead::config
