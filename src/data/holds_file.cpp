#include "polyhead/data/holds_file.hpp"

#include <algorithm>
#include <string>
#include <system_error>

#include "data/webdataset/shard_paths.hpp"

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

}  // namespace

bool holds_file(const config::Data& data, const fs::path& file) {
  if (same_file(file, data.path) || lies_in(file, data.path) || lies_in(file, data.root)) return true;
  std::error_code not_there;
  if (fs::exists(data.path, not_there) || data.path.native().find('{') == std::string::npos) return false;
  return std::ranges::any_of(expand_braces(data.path),
                             [&](const std::string& shard) { return same_file(file, shard); });
}

}  // namespace polyhead::data
