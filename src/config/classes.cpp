#include "classes.hpp"

#include <charconv>
#include <optional>
#include <set>
#include <string>

#include <fmt/format.h>

#include "texts.hpp"

namespace polyhead::config {
namespace {

constexpr std::int32_t kMaxOutput = 999'999;
constexpr std::string_view kText =
    "list of names, map of labels to outputs from 0 to 999999, or path of a file";

std::optional<std::int32_t> output_of(const Node& node) {
  if (node.kind != Node::Kind::scalar || node.quoted) return std::nullopt;
  std::int32_t output = -1;
  const char* last = node.text.data() + node.text.size();
  const auto [end, error] = std::from_chars(node.text.data(), last, output);
  if (error != std::errc{} || end != last || output < 0 || output > kMaxOutput) return std::nullopt;
  return output;
}

void add_named(const Node& item, std::set<std::string>& seen, ClassMap& classes, Context& context) {
  if (item.kind != Node::Kind::scalar || item.text.empty()) {
    fail_expected(item, "the name of an output", "", context);
  } else if (!seen.insert(item.text).second) {
    context.fail(item.where, fmt::format("the class {} is there twice", shown(item.text)));
  } else {
    classes.entries.push_back({item.text, -1});
  }
}

void add_numbered(const Entry& entry, ClassMap& classes, Context& context) {
  if (const auto output = output_of(entry.value)) {
    classes.entries.push_back({entry.key, *output});
  } else {
    fail_expected(entry.value, fmt::format("an output from 0 to {}", kMaxOutput), "", context);
  }
}

bool read(const Node& node, ClassMap& classes, Context& context) {
  const std::size_t before = context.failures();
  classes = {};
  std::set<std::string> seen;
  for (const Node& item : node.items) add_named(item, seen, classes, context);
  for (const Entry& entry : node.entries) add_numbered(entry, classes, context);
  if (node.kind == Node::Kind::scalar) return path().read(node, classes.file, context);
  if (node.items.empty() && node.entries.empty()) fail_expected(node, std::string(kText), "", context);
  return context.failures() == before;
}

Node write(const ClassMap& classes) {
  if (!classes.file.empty()) return path().write(classes.file);
  if (classes.entries.empty()) return {};
  Node node;
  const bool named = classes.entries.front().output < 0;
  node.kind = named ? Node::Kind::sequence : Node::Kind::map;
  for (const ClassMap::Entry& entry : classes.entries) {
    if (named) {
      node.items.push_back(quoted(entry.label));
    } else {
      Entry& written = node.entries.emplace_back();
      written.key = entry.label;
      written.value = plain(fmt::format("{}", entry.output));
    }
  }
  return node;
}

}  // namespace

Type<ClassMap> class_map() {
  return {std::string(kText), read, write, false, {}};
}

}  // namespace polyhead::config
