#include "expand.hpp"

#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

namespace polyhead::config {
namespace {

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Name of a variable at the start of a text; empty when there is none.
std::string_view name_in(std::string_view text) {
  if (text.empty() || !starts_name(text[0])) return {};
  std::size_t length = 1;
  while (length < text.size() && (starts_name(text[length]) || (text[length] >= '0' && text[length] <= '9')))
    ++length;
  return text.substr(0, length);
}

/// Goes through a path from left to right.
class Expansion {
 public:
  Expansion(std::string_view text, bool is_pattern, const Environment& environment)
      : rest_(text), is_pattern_(is_pattern), environment_(environment) {}

  Expanded run() {
    if (rest_.starts_with('~')) home();
    while (!rest_.empty() && result_.problem.empty()) step();
    return std::move(result_);
  }

 private:
  void step() {
    if (is_pattern_ && rest_.starts_with('\\') && rest_.size() > 1) return keep(2);
    if (!rest_.starts_with('$')) return keep(1);
    if (rest_.starts_with("$$")) {
      rest_.remove_prefix(1);
      return keep(1);
    }
    if (rest_.starts_with("${")) return in_braces();
    const std::string_view name = name_in(rest_.substr(1));
    if (name.empty()) return keep(1);
    rest_.remove_prefix(1 + name.size());
    put(name);
  }

  void keep(std::size_t characters) {
    result_.text += rest_.substr(0, characters);
    rest_.remove_prefix(characters);
  }

  void in_braces() {
    const std::string_view name = name_in(rest_.substr(2));
    if (name.empty() || rest_.substr(2 + name.size(), 1) != "}") {
      result_.problem = "has a ${ that is no ${NAME}; write $$ for a $ that belongs to the name";
      return;
    }
    rest_.remove_prefix(3 + name.size());
    put(name);
  }

  void home() {
    if (rest_.size() > 1 && rest_[1] != '/') {
      result_.problem =
          "starts with ~ and a name: only ~/ stands for a home folder; write that folder out, "
          "or ./~ for a name that starts with ~";
      return;
    }
    rest_.remove_prefix(1);
    put("HOME");
  }

  void put(std::string_view name) {
    const auto value = environment_(std::string(name));
    if (!value || value->empty()) {
      result_.problem = fmt::format(
          "needs the environment variable {}, which is {}; set it, or write $$ for "
          "a $ that belongs to the name",
          name, value ? "empty" : "not set");
      return;
    }
    result_.replaced = true;
    result_.text += is_pattern_ ? escape_pattern(*value) : *value;
  }

  std::string_view rest_;
  bool is_pattern_;
  const Environment& environment_;
  Expanded result_;
};

}  // namespace

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string escape_pattern(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view("*?[]\\").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

Expanded expand(const std::string& text, bool is_pattern, const Environment& environment) {
  return Expansion(text, is_pattern, environment).run();
}

}  // namespace polyhead::config
