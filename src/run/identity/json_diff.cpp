#include "json_diff.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "polyhead/base/text.hpp"
#include "run/display/shown_value.hpp"

namespace polyhead::run {
namespace {

using nlohmann::json;

std::string text_of(const json& object, const std::string& key) {
  if (!object.contains(key)) return "nothing";
  const json& value = object[key];
  using Handler = json::error_handler_t;
  return printable(value.is_string() ? value.get<std::string>()
                                     : value.dump(-1, ' ', false, Handler::replace));
}

}  // namespace

json parse_object(const std::string& text) {
  json value = json::parse(text, nullptr, false);
  return value.is_object() ? value : json(json::value_t::discarded);
}

std::vector<Change> changes(const json& held, const json& now) {
  std::set<std::string> keys;
  for (const json& object : {held, now}) {
    for (const auto& item : object.items()) keys.insert(item.key());
  }
  std::vector<Change> found;
  for (const std::string& key : keys) {
    Change change{printable(key), text_of(held, key), text_of(now, key)};
    if (change.held != change.now) found.push_back(std::move(change));
  }
  return found;
}

std::string describe(const Change& change) {
  return fmt::format("{}: {} in the file, {} now", change.key, change.held, change.now);
}

std::vector<std::string> describe(const std::vector<Change>& changes) {
  std::vector<std::string> texts;
  for (const Change& change : changes) texts.push_back(describe(change));
  return texts;
}

std::vector<json> provenance_lines(const std::string& provenance) {
  std::vector<json> lines;
  for (std::size_t begin = 0; begin < provenance.size();) {
    const std::size_t end = std::min(provenance.size(), provenance.find('\n', begin));
    json line = parse_object(provenance.substr(begin, end - begin));
    if (line.is_object()) lines.push_back(std::move(line));
    begin = end + 1;
  }
  return lines;
}

bool was_mixed(const std::string& provenance) {
  return std::ranges::any_of(provenance_lines(provenance), [](const json& line) {
    return line.value("mixed_fingerprints", json(false)) == json(true);
  });
}

}  // namespace polyhead::run
