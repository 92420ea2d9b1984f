#include "data_check.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/data/host_data.hpp"
#include "set_up.hpp"

namespace polyhead::run {
namespace {

constexpr std::int64_t kProbes = 16;
constexpr std::int64_t kSizes = 4096;
constexpr std::string_view kWayOn =
    "Every host needs the same data under the same path: on a file system that all share, or as a copy made "
    "anew";

/// Size of the file, or the reason why it is unknown.
std::int64_t size_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::int64_t>(status.st_size) : -errno;
}

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Whether the rank compares: the lowest of the ranks that see the same files does so for all of them. Rank 0
/// has nothing to compare.
bool compares(const std::vector<std::vector<std::byte>>& views, int rank) {
  const auto mine = views.begin() + rank;
  return std::find(views.begin(), mine, *mine) == mine && rank > 0;
}

bool any_compares(const std::vector<std::vector<std::byte>>& views) {
  return std::ranges::any_of(views, [&](const auto& view) { return view != views.front(); });
}

/// Data that rank 0 asks the others to examine.
struct Wanted {
  std::vector<data::Location> probes;
  std::vector<SizedFile> files;
  std::vector<data::Location> samples;
};

std::vector<std::byte> pack(const Wanted& wanted) {
  WireWriter writer;
  data::put_locations(writer, wanted.probes);
  data::put_locations(writer, wanted.samples);
  writer.put(wanted.files.size());
  for (const SizedFile& file : wanted.files) {
    writer.put_text(file.path);
    writer.put(file.size);
  }
  return std::move(writer).take();
}

Wanted unpack(const std::vector<std::byte>& bytes) {
  WireReader reader(bytes);
  Wanted wanted;
  wanted.probes = data::get_locations(reader);
  wanted.samples = data::get_locations(reader);
  const auto count = reader.get<std::size_t>();
  for (std::size_t i = 0; i < count; ++i) {
    std::string path = reader.get_text();
    wanted.files.push_back({std::move(path), reader.get<std::int64_t>()});
  }
  return wanted;
}

Wanted choose(const data::Dataset& dataset, bool compared) {
  Wanted wanted{choose_probes(dataset), {}, {}};
  if (!compared) return wanted;
  wanted.files = choose_sizes(dataset);
  for (const std::int64_t sample : data::digested_samples(dataset.size())) {
    for (data::Location& place : dataset.locations(sample, 1)) wanted.samples.push_back(std::move(place));
  }
  return wanted;
}

std::vector<Digest> digests_of_rank_0(comm::Collectives& world, Inputs& inputs) {
  std::vector<std::byte> bytes;
  if (world.rank() == 0) {
    WireWriter writer;
    writer.put_array(std::span<const Digest>(inputs.data_digest().samples));
    bytes = std::move(writer).take();
  }
  comm::broadcast_any(world, bytes);
  WireReader reader(bytes);
  return reader.get_array<Digest>();
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

std::string view_of_files(const std::string& host) {
  std::error_code ignored;
  const auto mounts = std::filesystem::read_symlink("/proc/self/ns/mnt", ignored);
  // Machines cloned from one image may share a name.
  return fmt::format("{} {} {}", host, first_line("/proc/sys/kernel/random/boot_id"), mounts.string());
}

std::vector<SizedFile> choose_sizes(const data::Dataset& dataset) {
  std::vector<SizedFile> files;
  for (std::string& path : dataset.files(kSizes)) {
    const std::int64_t size = size_of(path);
    if (size >= 0) files.push_back({std::move(path), size});
  }
  return files;
}

void check_sizes(const std::vector<SizedFile>& files) {
  for (const SizedFile& file : files) {
    const std::int64_t size = size_of(file.path);
    if (size == file.size) continue;
    throw Error(
        ExitCode::bad_data,
        fmt::format("{}: {}, but {} bytes where rank 0 is: this host has another copy of the data. {}",
                    file.path,
                    size < 0 ? std::generic_category().message(static_cast<int>(-size))
                             : fmt::format("has {} bytes", size),
                    file.size, kWayOn));
  }
}

void check_digests(const std::vector<data::Location>& places, const std::string& path, std::int64_t samples,
                   const std::vector<Digest>& here, const std::vector<Digest>& there) {
  const auto numbers = data::digested_samples(samples);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i < here.size() && i < there.size() && here[i] == there[i]) continue;
    const auto text = [i](const std::vector<Digest>& digests) {
      return i < digests.size() ? digests[i].hex() : "none";
    };
    throw Error(
        ExitCode::bad_data,
        fmt::format("{}: the bytes of sample {} have the digest {}, but {} where rank 0 is: this host has "
                    "another copy of the data. {}",
                    i < places.size() ? places[i].path : path, numbers[i], text(here), text(there), kWayOn));
  }
}

void check_data_is_everywhere(comm::Collectives& world, Inputs& inputs, const std::string& host,
                              const std::string& view) {
  const auto views = world.all_gather(std::as_bytes(std::span(view)));
  const bool compared = any_compares(views);
  std::vector<std::byte> bytes;
  if (world.rank() == 0) bytes = pack(choose(*inputs.dataset, compared));
  comm::broadcast_any(world, bytes);
  const Wanted wanted = unpack(bytes);
  const bool mine = compares(views, world.rank());
  std::vector<Digest> digests;
  set_up(world, host, [&] {
    check_probes(wanted.probes);
    data::check_sources(inputs.config.data);
    if (mine) check_sizes(wanted.files);
    if (mine) digests = data::digest_samples(inputs.config.data, inputs.shape, wanted.samples);
    // Read at the same time, as it is needed later anyway.
    if (compared && world.rank() == 0) static_cast<void>(inputs.data_digest());
  });
  if (!compared) return;
  const std::vector<Digest> expected = digests_of_rank_0(world, inputs);
  set_up(world, host, [&] {
    if (!mine) return;
    check_digests(wanted.samples, inputs.config.data.path.native(), inputs.shape.size, digests, expected);
  });
}

}  // namespace polyhead::run
