#include "section.hpp"

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

void fail_unknown(const Entry& entry, const std::vector<std::string>& known, Context& context) {
  const std::string near = did_you_mean(entry.key, known);
  const std::string section = context.key().empty() ? "Sections" : "Options of " + context.key();
  context.fail(entry.where, fmt::format("unknown option {}{} {}: {}", shown(entry.key),
                                        near.empty() ? "." : ", " + near, section, join(known)));
}

void fail_missing(const OptionDoc& doc, const Location& section, Context& context) {
  context.fail(section, fmt::format("'{}' is required ({}: {})", doc.key, doc.type, doc.help));
}

}  // namespace polyhead::config
