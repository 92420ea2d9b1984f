#include "polyhead/data/location.hpp"

#include <unordered_map>

#include "polyhead/base/error.hpp"

namespace polyhead::data {
namespace {

/// A location whose path is number `path` among those sent before.
struct Sent {
  std::uint64_t path;
  std::uint64_t offset;
  std::uint64_t size;
};

}  // namespace

void put_locations(WireWriter& writer, std::span<const Location> locations) {
  std::unordered_map<std::string_view, std::uint64_t> numbers;
  std::vector<std::string_view> paths;
  std::vector<Sent> sent;
  sent.reserve(locations.size());
  for (const Location& location : locations) {
    const auto [entry, is_new] = numbers.try_emplace(location.path, paths.size());
    if (is_new) paths.push_back(location.path);
    sent.push_back({entry->second, location.offset, location.size});
  }
  writer.put(paths.size());
  for (const std::string_view path : paths) writer.put_text(path);
  writer.put_array(std::span<const Sent>(sent));
}

std::vector<Location> get_locations(WireReader& reader) {
  const auto count = reader.get<std::size_t>();
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < count; ++i) paths.push_back(reader.get_text());
  const auto sent = reader.get_array<Sent>();
  std::vector<Location> locations;
  locations.reserve(sent.size());
  for (const Sent& location : sent) {
    if (location.path >= paths.size()) {
      throw Error(ExitCode::internal, "a message between ranks names a path that it does not hold");
    }
    locations.push_back({paths[location.path], location.offset, location.size});
  }
  return locations;
}

}  // namespace polyhead::data
