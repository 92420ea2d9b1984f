#include <compare>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <system_error>

#include <fmt/format.h>

#include "checks.hpp"
#include "config/yaml/node.hpp"
#include "globs.hpp"
#include "issues.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/config/load.hpp"
#include "readable.hpp"

namespace polyhead::config {
namespace {

constexpr std::size_t kExamples = 3;

/// A file that cannot be read.
struct MissingFile {
  Location where;
  std::string what;  ///< "weights of head 'a'"
  std::filesystem::path path;
  std::string problem;
};

/// Looks at files and records those that cannot be read, at the location of their key.
class FileCheck {
 public:
  explicit FileCheck(const Locations& where) : where_(where) {}

  void operator()(const std::string& key, const std::string& what, const std::filesystem::path& path) {
    constexpr std::size_t kMaxSuggestions = 20;  // each reads a folder
    note(key, what, path, problem_of_file(path, count_++ < kMaxSuggestions));
  }

  /// Accepts a folder: the reader of weights knows which of its files is meant.
  void weights(const std::string& key, const std::string& what, const std::filesystem::path& path) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(path, ignored)) (*this)(key, what, path);
  }

  void note(const std::string& key, const std::string& what, const std::filesystem::path& path,
            const std::optional<std::string>& problem) {
    if (!problem) return;
    const auto found = where_.find(key);
    const Location where = found == where_.end() ? Location{} : found->second;
    causes_[cause_of(path)].push_back({where, what, path, *problem});
  }

  /// An issue for each file, or one for many with a common cause.
  [[nodiscard]] std::vector<Issue> issues() const {
    std::vector<Issue> issues;
    for (const auto& [cause, files] : causes_) {
      if (cause.kind != Cause::Kind::other && files.size() > kExamples) {
        issues.push_back({files.front().where, together(cause, files)});
        continue;
      }
      for (const MissingFile& file : files)
        issues.push_back({file.where, fmt::format("{}: {}", file.what, file.problem)});
    }
    return issues;
  }

 private:
  /// Common cause of several missing files.
  struct Cause {
    enum class Kind { no_folder, no_file, other };
    Kind kind = Kind::other;
    std::filesystem::path folder;
    auto operator<=>(const Cause&) const = default;  // NOLINT(modernize-use-nullptr): a mistake of version 14
  };

  static Cause cause_of(const std::filesystem::path& path) {
    std::error_code ignored;
    const std::filesystem::path missing = missing_folder(path);
    if (!missing.empty()) return {Cause::Kind::no_folder, missing};
    const bool is_there = std::filesystem::exists(path, ignored);
    return {is_there ? Cause::Kind::other : Cause::Kind::no_file, path.parent_path()};
  }

  static std::string together(const Cause& cause, const std::vector<MissingFile>& files) {
    std::vector<std::string> examples;
    for (const MissingFile& file : std::span(files).first(kExamples))
      examples.push_back(fmt::format("{} ({})", shown_path(file.path.filename()), file.what));
    const std::string list = fmt::format("{} and {} more", join(examples), files.size() - kExamples);
    if (cause.kind == Cause::Kind::no_folder) {
      return fmt::format("there is no folder {}, where {} files should be: {}", shown_path(cause.folder),
                         files.size(), list);
    }
    return fmt::format("no such files in {}: {}; the first: {}", shown_path(cause.folder), list,
                       files.front().problem);
  }

  const Locations& where_;
  std::size_t count_ = 0;
  std::map<Cause, std::vector<MissingFile>> causes_;
};

}  // namespace

void resolve_files(Loaded& loaded) {
  FileIssues issues;
  expand_globs(loaded, issues);
  FileCheck check(loaded.where);
  const Data& data = loaded.config.data;
  check.note("data.path", "data.path", data.path, problem_of_data(data.path));
  if (!data.root.empty()) check.note("data.root", "data.root", data.root, problem_of_data(data.root));
  if (!data.classes.file.empty()) check("data.classes", "data.classes", data.classes.file);
  if (!loaded.config.has_whole_members())
    check.weights("backbone.weights", "backbone.weights", loaded.config.backbone.weights);
  for (std::size_t i = 0; i < loaded.config.heads.size(); ++i) {
    const Head& head = loaded.config.heads[i];
    const std::string key = fmt::format("{}[{}]", loaded.members, i);
    if (head.program.empty()) {
      check.weights(key + ".weights", "weights of head " + shown(head.name), head.weights);
    } else {
      check(key + ".program", "program of member " + shown(head.name), head.program);
    }
  }
  const std::vector<Issue> missing = check.issues();
  issues.missing.insert(issues.missing.end(), missing.begin(), missing.end());
  const auto repeated = repeated_names(loaded);
  issues.other.insert(issues.other.end(), repeated.begin(), repeated.end());

  const ExitCode code = issues.other.empty() ? ExitCode::no_input : ExitCode::config;
  std::move(issues.other.begin(), issues.other.end(), std::back_inserter(issues.missing));
  throw_if_any(code, std::move(issues.missing));
}

}  // namespace polyhead::config
