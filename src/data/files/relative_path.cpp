#include "relative_path.hpp"

#include <algorithm>
#include <vector>

namespace polyhead::data {
namespace {

using Names = std::vector<std::string_view>;

/// Names in the path; nothing when ".." leads out of the start.
std::optional<Names> names_in(std::string_view path) {
  Names names;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (name.empty() || name == ".") continue;
    if (name != "..") {
      names.push_back(name);
    } else if (names.empty()) {
      return std::nullopt;
    } else {
      names.pop_back();
    }
  }
  return names;
}

std::string joined(Names::const_iterator first, Names::const_iterator last) {
  std::string path;
  for (auto name = first; name != last; ++name) {
    if (name != first) path += '/';
    path += *name;
  }
  return path;
}

}  // namespace

std::optional<std::string> relative_path(std::string_view root, std::string_view path) {
  const auto names = names_in(path);
  if (!names) return std::nullopt;
  auto first = names->begin();
  if (path.starts_with('/')) {
    const auto above = names_in(root);
    if (!above || above->size() > names->size() || !std::equal(above->begin(), above->end(), first)) {
      return std::nullopt;
    }
    first += static_cast<std::ptrdiff_t>(above->size());
  }
  if (first == names->end()) return std::nullopt;
  return joined(first, names->end());
}

std::string absolute_text(const std::filesystem::path& path) {
  std::string text = std::filesystem::absolute(path).native();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

}  // namespace polyhead::data
