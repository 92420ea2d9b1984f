#include "shard_entry.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "data/files/sanitized.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/image/image_names.hpp"

namespace polyhead::data {
namespace {

std::size_t base_of(std::string_view name) {
  return name.find_last_of('/') + 1;
}

/// `suffix`: with its dot, in lower case.
ShardPart part_of(std::string_view suffix) {
  if (image::is_image_suffix(suffix)) return ShardPart::image;
  if (suffix == ".cls") return ShardPart::cls;
  return suffix == ".json" ? ShardPart::json : ShardPart::other;
}

}  // namespace

void refuse_entry(const std::string& where, std::string_view name, std::string_view problem) {
  throw Error(ExitCode::bad_data, fmt::format("{}: entry '{}': {}", where, sanitized(name), problem));
}

std::string clean_entry_name(const std::string& where, std::string_view name) {
  std::string_view rest = name;
  while (rest.starts_with("./")) rest.remove_prefix(2);
  if (rest.starts_with('/')) refuse_entry(where, name, "found an absolute name; expected a relative one");
  for (std::string_view path = rest; !path.empty();) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (path.substr(0, end) == "..") refuse_entry(where, name, "found '..' in its name; expected none");
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return std::string(rest);
}

bool is_hidden_entry(std::string_view name) {
  return name.substr(base_of(name)).starts_with('.');
}

std::optional<ShardName> split_entry_name(std::string_view name) {
  const std::size_t dot = name.find('.', base_of(name));
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view suffix = name.substr(dot + 1);
  return ShardName{std::string(name.substr(0, dot)), std::string(suffix),
                   part_of(image::lower(name.substr(dot)))};
}

}  // namespace polyhead::data
