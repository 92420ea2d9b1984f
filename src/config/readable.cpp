#include "readable.hpp"

#include <cerrno>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "config/yaml/node.hpp"
#include "words.hpp"

namespace polyhead::config {
namespace {

namespace fs = std::filesystem;

/// Names in a folder, up to the number that is useful for a suggestion.
std::vector<std::string> some_names(const fs::path& folder) {
  constexpr std::size_t kMax = 1000;
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end && names.size() < kMax;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  return names;
}

fs::path folder_of_file(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

std::string no_such_file(const fs::path& path, bool suggest) {
  const fs::path folder = folder_of_file(path);
  if (!missing_folder(path).empty()) {
    return fmt::format("no such file: {} (there is no folder {})", shown_path(path), shown_path(folder));
  }
  std::error_code error;
  if (const fs::path target = fs::read_symlink(path, error); !error)
    return fmt::format("{} is a link to {}, which is not there", shown_path(path), shown_path(target));
  const std::string near = suggest ? did_you_mean(path.filename().string(), some_names(folder)) : "";
  return fmt::format("no such file: {}{}{}", shown_path(path), near.empty() ? "" : "; ", near);
}

}  // namespace

fs::path missing_folder(const fs::path& path) {
  std::error_code error;
  fs::path folder = folder_of_file(path);
  return fs::is_directory(folder, error) ? fs::path() : folder;
}

std::optional<std::string> problem_of_file(const fs::path& path, bool suggest) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return no_such_file(path, suggest);
  if (error) return fmt::format("cannot look at {}: {}", shown_path(path), error.message());
  if (fs::is_directory(status)) return fmt::format("{} is a folder; a file is needed", shown_path(path));
  if (!fs::is_regular_file(status)) return fmt::format("{} is not a regular file", shown_path(path));
  if (::access(path.c_str(), R_OK) == 0) return std::nullopt;
  return fmt::format("{} may not be read: {}", shown_path(path), std::generic_category().message(errno));
}

std::optional<std::string> problem_of_data(const fs::path& path) {
  if (path.string().find('{') != std::string::npos) return std::nullopt;
  std::error_code error;
  if (!fs::is_directory(path, error)) return problem_of_file(path);
  if (::access(path.c_str(), R_OK | X_OK) == 0) return std::nullopt;
  return fmt::format("{} may not be read: {}", shown_path(path), std::generic_category().message(errno));
}

}  // namespace polyhead::config
