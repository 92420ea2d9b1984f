#include "section.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "polyhead/base/text.hpp"
#include "words.hpp"

namespace polyhead::config {

void fail_expected(const Node& node, const std::string& text, const std::string& hint, Context& context) {
  const bool is_empty_list = node.kind == Node::Kind::sequence && node.items.empty();
  context.fail(node.where,
               fmt::format("expected {}; found {}{}{}", text, is_empty_list ? "an empty list" : shown(node),
                           hint.empty() ? "" : "; ", hint));
}

std::string missing_colon(std::string_view text, const std::vector<std::string>& known) {
  const std::string_view word = text.substr(0, text.find_first_of(" \t:"));
  if (word.size() == text.size() || std::ranges::find(known, word) == known.end()) return "";
  return fmt::format("is {} missing after '{}'?", text[word.size()] == ':' ? "a space" : "a colon",
                     text.substr(0, word.size() + (text[word.size()] == ':' ? 1 : 0)));
}

void fail_unknown(const Entry& entry, const std::vector<std::string>& known, Context& context) {
  const std::string colon = missing_colon(entry.key, known);
  const std::string near = colon.empty() ? did_you_mean(entry.key, known) : colon;
  const std::string section = context.key().empty() ? "Sections" : "Options of " + context.key();
  context.fail(entry.where, fmt::format("unknown option {}{} {}: {}", shown(entry.key),
                                        near.empty() ? "." : ", " + near, section, join(known)));
}

void fail_missing(const OptionDoc& doc, const Location& section, Context& context) {
  context.fail(section, fmt::format("'{}' is required ({}: {})", doc.key, doc.type, doc.help));
}

}  // namespace polyhead::config
