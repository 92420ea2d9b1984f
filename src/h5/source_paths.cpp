#include <cstdlib>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "sources.hpp"

namespace polyhead::h5::detail {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kOrigin = "${ORIGIN}";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Expands "${ORIGIN}" at a prefix's start to the folder of the file that is read.
fs::path expanded(std::string_view prefix, const fs::path& parent) {
  if (!prefix.starts_with(kOrigin)) return prefix;
  return parent.parent_path().native() + std::string(prefix.substr(kOrigin.size()));
}

}  // namespace

std::vector<fs::path> virtual_candidates(const fs::path& parent, const std::string& name) {
  std::vector<fs::path> paths;
  fs::path rest = name;
  if (rest.is_absolute()) {
    paths.push_back(rest);
    rest = rest.filename();
  }
  const std::string prefixes = variable("HDF5_VDS_PREFIX");
  for (std::string_view left = prefixes; !left.empty();) {
    const std::size_t end = std::min(left.find(':'), left.size());
    if (end > 0) paths.push_back(expanded(left.substr(0, end), parent) / rest);
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  paths.push_back(parent.parent_path() / rest);
  paths.push_back(rest);
  std::error_code ignored;
  if (const fs::path real = fs::canonical(parent, ignored); !ignored)
    paths.push_back(real.parent_path() / rest);
  return paths;
}

fs::path external_path(const fs::path& parent, const std::string& name) {
  const std::string prefix = variable("HDF5_EXTFILE_PREFIX");
  if (prefix.empty() || prefix == ".") return name;
  return expanded(prefix, parent) / name;
}

std::string block_name(const std::string& pattern, std::uint64_t block) {
  std::string name;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char next = pattern[i] == '%' && i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    if (next == 'b') name += fmt::to_string(block);
    if (next == '%') name += '%';
    if (next == 'b' || next == '%') {
      ++i;
    } else {
      name += pattern[i];
    }
  }
  return name;
}

}  // namespace polyhead::h5::detail
