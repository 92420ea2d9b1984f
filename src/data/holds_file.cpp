#include "polyhead/data/holds_file.hpp"

#include <algorithm>
#include <string>
#include <system_error>

#include "format_table.hpp"

namespace polyhead::data {
namespace {

namespace fs = std::filesystem;

bool same_file(const fs::path& one, const fs::path& other) {
  std::error_code not_there;
  return fs::equivalent(one, other, not_there);
}

bool lies_in(const fs::path& file, const fs::path& folder) {
  std::error_code not_there;
  if (folder.empty() || !fs::is_directory(folder, not_there)) return false;
  for (fs::path above = fs::weakly_canonical(file, not_there); above.has_relative_path();) {
    above = above.parent_path();
    if (same_file(above, folder)) return true;
  }
  return false;
}

/// Whether `pattern` stands for the file, in a format that has patterns.
bool is_named_by(const std::string& pattern, const fs::path& file) {
  for (const Format& format : formats()) {
    if (format.is_pattern == nullptr || !format.is_pattern(pattern)) continue;
    return std::ranges::any_of(format.expand(pattern),
                               [&](const std::string& named) { return same_file(file, named); });
  }
  return false;
}

}  // namespace

bool holds_file(const config::Data& data, const fs::path& file) {
  if (same_file(file, data.path) || lies_in(file, data.path) || lies_in(file, data.root)) return true;
  std::error_code not_there;
  return !fs::exists(data.path, not_there) && is_named_by(data.path, file);
}

}  // namespace polyhead::data
