#include "data_check.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>

#include "polyhead/base/error.hpp"

namespace polyhead::run {
namespace {

constexpr std::int64_t kProbes = 16;

/// Its size, or a reason why it cannot be told.
std::int64_t size_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::int64_t>(status.st_size) : -errno;
}

}  // namespace

std::vector<data::Location> choose_probes(const data::Dataset& dataset) {
  std::vector<data::Location> probes;
  const std::int64_t step = std::max<std::int64_t>(1, dataset.size() / kProbes);
  for (std::int64_t sample = 0; sample < dataset.size(); sample += step) {
    for (data::Location& location : dataset.locations(sample, 1)) {
      if (size_of(location.path) >= 0) probes.push_back(std::move(location));
    }
  }
  return probes;
}

void check_probes(const std::vector<data::Location>& probes) {
  for (const data::Location& probe : probes) {
    const std::int64_t size = size_of(probe.path);
    if (size >= static_cast<std::int64_t>(probe.offset + probe.size)) continue;
    throw Error(
        ExitCode::no_input,
        fmt::format("{}: {}, though rank 0 has it. Every host needs the data under the same path: on a file "
                    "system that all share, or as a copy",
                    probe.path,
                    size < 0 ? std::generic_category().message(static_cast<int>(-size))
                             : fmt::format("has {} bytes only", size)));
  }
}

}  // namespace polyhead::run
