#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "checks.hpp"
#include "globs.hpp"
#include "issues.hpp"
#include "node.hpp"
#include "polyhead/config/load.hpp"
#include "readable.hpp"

namespace polyhead::config {
namespace {

/// Looks at files and notes those that cannot be read, at the place of their key.
class FileCheck {
 public:
  FileCheck(const Locations& where, std::vector<Issue>& missing) : where_(where), missing_(missing) {}

  void operator()(const std::string& key, const std::string& what, const std::filesystem::path& path) {
    constexpr std::size_t kMostSuggestions = 20;  // each reads a folder
    note(key, what, problem_of_file(path, missing_.size() < kMostSuggestions));
  }

  void note(const std::string& key, const std::string& what, const std::optional<std::string>& problem) {
    if (!problem) return;
    const auto found = where_.find(key);
    missing_.push_back(
        {found == where_.end() ? Location{} : found->second, fmt::format("{}: {}", what, *problem)});
  }

 private:
  const Locations& where_;
  std::vector<Issue>& missing_;
};

}  // namespace

void resolve_files(Loaded& loaded) {
  FileIssues issues;
  expand_globs(loaded, issues);
  FileCheck check(loaded.where, issues.missing);
  const Data& data = loaded.config.data;
  check.note("data.path", "data.path", problem_of_data(data.path));
  if (!data.root.empty()) check.note("data.root", "data.root", problem_of_data(data.root));
  if (!data.classes.file.empty()) check("data.classes", "data.classes", data.classes.file);
  check("backbone.weights", "backbone.weights", loaded.config.backbone.weights);
  for (std::size_t i = 0; i < loaded.config.heads.size(); ++i) {
    const Head& head = loaded.config.heads[i];
    check(fmt::format("heads[{}].weights", i), "weights of head " + shown(head.name), head.weights);
  }
  const auto repeated = repeated_names(loaded.config.heads, loaded.where);
  issues.other.insert(issues.other.end(), repeated.begin(), repeated.end());

  const ExitCode code = issues.other.empty() ? ExitCode::no_input : ExitCode::config;
  std::move(issues.other.begin(), issues.other.end(), std::back_inserter(issues.missing));
  throw_if_any(code, std::move(issues.missing));
}

}  // namespace polyhead::config
