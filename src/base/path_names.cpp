#include "polyhead/base/path_names.hpp"

#include <set>

namespace polyhead {

std::vector<std::string> differing_parts(const std::vector<std::filesystem::path>& files) {
  std::vector<std::vector<std::string>> parts;
  for (const std::filesystem::path& file : files) {
    const std::filesystem::path path = file.lexically_normal();
    parts.emplace_back(path.begin(), path.end());
  }
  // From the back, what is the same for all says nothing.
  const auto same = [&](std::size_t back) {
    for (const auto& path : parts)
      if (path.size() <= back + 1 || path[path.size() - 1 - back] != parts[0][parts[0].size() - 1 - back])
        return false;
    return true;
  };
  std::size_t dropped = 0;
  while (files.size() > 1 && same(dropped)) ++dropped;
  std::vector<std::string> names;
  for (const auto& path : parts) names.push_back(path[path.size() - 1 - dropped]);
  if (std::set<std::string>(names.begin(), names.end()).size() == names.size()) return names;
  names.clear();
  for (const std::filesystem::path& file : files) names.push_back(file.string());
  return names;
}

}  // namespace polyhead
