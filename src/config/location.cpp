#include "polyhead/config/location.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "issues.hpp"

namespace polyhead::config {
namespace {

/// Most issues in the message; `issues()` keeps all.
constexpr std::size_t kMaxLines = 100;

std::string text_of(const std::vector<Issue>& issues) {
  std::string text;
  for (std::size_t i = 0; i < std::min(issues.size(), kMaxLines); ++i) {
    text += fmt::format("{}{}: {}", i == 0 ? "" : "\n", issues[i].where.str(), issues[i].text);
  }
  if (issues.size() > kMaxLines) text += fmt::format("\nand {} more", issues.size() - kMaxLines);
  return text;
}

bool stands_before(const Issue& a, const Issue& b) {
  const auto place = [](const Location& where) {
    return std::tuple(where.line == 0, where.line, where.column);
  };
  return place(a.where) < place(b.where);
}

}  // namespace

std::string Location::str() const {
  return line == 0 ? source : fmt::format("{}:{}:{}", source, line, column);
}

ConfigError::ConfigError(ExitCode code, std::vector<Issue> issues)
    : Error(code, text_of(issues)), issues_(std::move(issues)) {}

void throw_if_any(ExitCode code, std::vector<Issue> issues) {
  if (issues.empty()) return;
  std::stable_sort(issues.begin(), issues.end(), stands_before);
  throw ConfigError(code, std::move(issues));
}

}  // namespace polyhead::config
