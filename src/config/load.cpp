#include "polyhead/config/load.hpp"

#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "checks.hpp"
#include "config/yaml/document.hpp"
#include "context.hpp"
#include "issues.hpp"
#include "options.hpp"
#include "overrides.hpp"
#include "readable.hpp"

namespace polyhead::config {
namespace {

std::string read_text(const std::filesystem::path& file) {
  std::vector<Issue> issues;
  const Location where{file.string(), 0, 0};
  if (const auto problem = problem_of_file(file)) issues.push_back({where, *problem});
  throw_if_any(ExitCode::no_input, std::move(issues));
  std::ifstream stream(file, std::ios::binary);
  // One byte more than the limit, so that `parse` detects a text that is too large.
  std::string text(kMaxDocumentBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) throw Error(ExitCode::io_error, fmt::format("{}: reading failed", file.string()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

}  // namespace

Loaded load(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  return parse(read_text(file), file.string(), std::filesystem::absolute(file).parent_path(), overrides,
               Paths::expanded);
}

Loaded parse(const std::string& text, const std::string& name, const std::filesystem::path& base,
             const std::vector<std::string>& overrides, Paths paths) {
  std::vector<Issue> issues;
  Node root = parse_document(text, {name}, issues);
  if (root.where.source.empty()) root.where = {name, 1, 1};
  for (const std::string& override : overrides) apply_override(root, override, issues);

  Loaded loaded;
  Context context(base, paths, issues, loaded.where);
  options().read(root, loaded.config, context);
  if (root.find("members") != nullptr) loaded.members = "members";
  const auto repeated = repeated_names(loaded);
  issues.insert(issues.end(), repeated.begin(), repeated.end());
  const auto weights = unused_weights(loaded);
  issues.insert(issues.end(), weights.begin(), weights.end());
  throw_if_any(ExitCode::config, std::move(issues));
  return loaded;
}

}  // namespace polyhead::config
