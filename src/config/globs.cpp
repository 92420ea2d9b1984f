#include "globs.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <glob.h>

#include "config/yaml/node.hpp"
#include "polyhead/base/path_names.hpp"
#include "texts.hpp"

namespace polyhead::config {
namespace {

namespace fs = std::filesystem;

/// Owns what glob(3) allocates.
struct GlobResult {
  glob_t found{};
  GlobResult() = default;
  GlobResult(const GlobResult&) = delete;
  GlobResult& operator=(const GlobResult&) = delete;
  ~GlobResult() { ::globfree(&found); }
};

using Options = std::vector<std::pair<std::string, Location>>;

/// Locations of item `index` of `list`, by the part after "heads[index]", taken out of `where`.
Options take_locations(Locations& where, const std::string& list, std::size_t index) {
  const std::string prefix = fmt::format("{}[{}]", list, index);
  Options options;
  for (auto at = where.lower_bound(prefix); at != where.end() && at->first.starts_with(prefix);
       at = where.erase(at)) {
    options.emplace_back(at->first.substr(prefix.size()), std::move(at->second));
  }
  return options;
}

/// Gives the pattern's location to each head's name and weights file.
void put_locations(Locations& where, const std::string& list, std::size_t index, const Options& options) {
  const std::string item = fmt::format("{}[{}]", list, index);
  for (const auto& [option, location] : options) {
    if (option != ".glob") {
      where[item + option] = location;
      continue;
    }
    for (const char* name : {".weights", ".program", ".name"}) where[item + name] = location;
  }
}

Location location_of_glob(const Options& options) {
  const auto found =
      std::find_if(options.begin(), options.end(), [](const auto& o) { return o.first == ".glob"; });
  return found == options.end() ? Location{} : found->second;
}

/// Names of the files' members: their stems or, where these repeat, the parts of the paths that differ.
std::vector<std::string> differing_names(const std::vector<fs::path>& files) {
  std::vector<std::string> stems;
  for (const fs::path& file : files) stems.push_back(file.stem().string());
  const std::set<std::string> each(stems.begin(), stems.end());
  return each.size() == stems.size() ? stems : differing_parts(files);
}

std::vector<Head> heads_for_files(const Head& head, const Location& where, FileIssues& issues) {
  std::vector<Head> heads;
  const std::vector<fs::path> files = matching_files(head.glob);
  const std::vector<std::string> names = differing_names(files);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const fs::path& file = files[i];
    Head one = head;
    one.glob.clear();
    (head.globs_programs() ? one.program : one.weights) = file;
    one.name = names[i];
    if (const auto problem = problem_of_text(file.string())) {
      issues.other.push_back(
          {where, fmt::format("the matching file {} {}; rename it", shown_path(file), *problem)});
    } else if (const auto name_problem = problem_of_head_name(one.name)) {
      issues.other.push_back(
          {where, fmt::format("the name of the matching file {} {}; rename it, or list it with a 'name'",
                              shown_path(file.filename()), *name_problem)});
    }
    heads.push_back(std::move(one));
  }
  if (heads.empty()) {
    issues.missing.push_back({where, fmt::format("no file matches {} (searched from the folder {})",
                                                 shown_path(head.glob), shown_path(folder_of(head.glob)))});
  }
  return heads;
}

}  // namespace

std::vector<fs::path> matching_files(const std::string& pattern) {
  GlobResult result;
  const int status = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &result.found);
  if (status == GLOB_NOSPACE)
    throw Error(ExitCode::internal, fmt::format("out of memory while searching {}", pattern));
  std::vector<std::string> names(result.found.gl_pathv, result.found.gl_pathv + result.found.gl_pathc);
  std::sort(names.begin(), names.end());
  std::vector<fs::path> files;
  std::copy_if(names.begin(), names.end(), std::back_inserter(files), [](const fs::path& path) {
    std::error_code error;
    return !fs::is_directory(path, error);
  });
  return files;
}

fs::path folder_of(const std::string& pattern) {
  std::string literal;
  for (std::size_t i = 0;
       i < pattern.size() && std::string_view("*?[").find(pattern[i]) == std::string_view::npos; ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    literal += pattern[i];
  }
  return fs::path(literal).parent_path();
}

void expand_globs(Loaded& loaded, FileIssues& issues) {
  std::vector<Head> expanded;
  Locations where = loaded.where;
  for (std::size_t i = 0; i < loaded.config.heads.size(); ++i) take_locations(where, loaded.members, i);
  for (std::size_t i = 0; i < loaded.config.heads.size(); ++i) {
    Head& head = loaded.config.heads[i];
    const Options options = take_locations(loaded.where, loaded.members, i);
    std::vector<Head> heads;
    if (head.glob.empty()) {
      heads.push_back(std::move(head));
    } else {
      heads = heads_for_files(head, location_of_glob(options), issues);
    }
    for (Head& one : heads) {
      put_locations(where, loaded.members, expanded.size(), options);
      expanded.push_back(std::move(one));
    }
  }
  loaded.config.heads = std::move(expanded);
  loaded.where = std::move(where);
}

}  // namespace polyhead::config
