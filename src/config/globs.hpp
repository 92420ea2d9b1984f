#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "polyhead/config/load.hpp"

namespace polyhead::config {

/// Issues of files that are missing or may not be read, and other issues: they differ in the exit code.
struct FileIssues {
  std::vector<Issue> missing;
  std::vector<Issue> other;
};

/// The files (not folders) that match an absolute pattern of glob(7), sorted bytewise.
std::vector<std::filesystem::path> matching_files(const std::string& pattern);

/// Folder in which a pattern starts: the path before its first special character.
std::filesystem::path folder_of(const std::string& pattern);

/// Replaces every head that has a `glob` by one head per matching file, and moves the locations along.
void expand_globs(Loaded& loaded, FileIssues& issues);

}  // namespace polyhead::config
