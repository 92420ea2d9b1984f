#include "webdataset.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "shard.hpp"

namespace polyhead::data {
namespace {

constexpr std::size_t kMostProblems = 20;

/// Length of the longest folder, with its slash, that all shards lie in. What follows names a shard: the base
/// name, where all are in one folder.
std::size_t common_folder(const std::vector<std::string>& shards) {
  std::size_t common = shards.front().find_last_of('/') + 1;
  for (const std::string& shard : shards) {
    std::size_t same = 0;
    while (same < common && same < shard.size() && shard[same] == shards.front()[same]) ++same;
    while (same > 0 && shard[same - 1] != '/') --same;
    common = same;
  }
  return common;
}

/// Two samples of one name could not be told apart in the result.
void check_names(const std::string& path, SampleIndexBuilder& samples, std::int64_t first) {
  std::vector<const char*> names;
  for (const IndexEntry& entry : samples.entries(first)) names.push_back(samples.name(entry));
  std::ranges::sort(names, [](const char* a, const char* b) { return std::strcmp(a, b) < 0; });
  const auto twice =
      std::ranges::adjacent_find(names, [](const char* a, const char* b) { return std::strcmp(a, b) == 0; });
  if (twice != names.end()) refuse_twice(path, *twice);
}

void scan(const std::string& path, std::size_t folder, Oddities& oddities, SampleIndexBuilder& samples) {
  const FileSource source(path);
  source.expect_jumps();
  const std::string prefix = fmt::format("{}/", std::string_view(path).substr(folder));
  const std::uint32_t file = samples.add_file(path, prefix, source.stamp());
  const std::int64_t first = samples.size();
  scan_shard(source, path, oddities, [&](const ShardSample& sample) {
    samples.add(
        sample.image.name,
        {.offset = sample.image.offset, .size = sample.image.size, .file = file, .label = sample.label});
  });
  check_names(path, samples, first);
}

[[noreturn]] void refuse(const std::vector<std::string>& problems, std::size_t shards) {
  const bool more = problems.size() == kMostProblems;
  throw Error(ExitCode::bad_data,
              fmt::format("{}{} of {} shard(s) cannot be used:\n  {}\nmake them again, or leave them out of "
                          "data.path",
                          more ? "at least " : "", problems.size(), shards, join(problems, "\n  ")));
}

void note(const Oddities& oddities, SampleIndexBuilder& samples) {
  if (oddities.without_image > 0) {
    samples.note(
        fmt::format("data: left out {} group(s) of files without KEY.jpg, KEY.jpeg or KEY.png; the "
                    "first is {}",
                    oddities.without_image, oddities.first_without_image));
  }
  if (oddities.links > 0) {
    samples.note(fmt::format("data: left out {} link(s) in the shards; only files are read", oddities.links));
  }
  if (oddities.without_end > 0) {
    samples.note(fmt::format("data: {} shard(s) have no end mark: their last samples may be lost",
                             oddities.without_end));
  }
}

}  // namespace

void scan_webdataset(const std::vector<std::string>& shards, SampleIndexBuilder& samples) {
  Oddities oddities;
  std::vector<std::string> problems;
  const std::size_t folder = common_folder(shards);
  for (const std::string& shard : shards) {
    try {
      scan(shard, folder, oddities, samples);
    } catch (const Error& error) {
      if (error.code() != ExitCode::bad_data && error.code() != ExitCode::no_input) throw;
      problems.emplace_back(error.what());
      if (problems.size() == kMostProblems) break;
    }
  }
  if (!problems.empty()) refuse(problems, shards.size());
  note(oddities, samples);
  if (samples.size() > 0) return;
  throw Error(ExitCode::bad_data,
              fmt::format("{}{}: found no images; expected entries KEY.jpg, KEY.jpeg or KEY.png", shards[0],
                          shards.size() > 1 ? fmt::format(" and {} more shard(s)", shards.size() - 1) : ""));
}

}  // namespace polyhead::data
