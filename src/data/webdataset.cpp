#include "webdataset.hpp"

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "shard.hpp"

namespace polyhead::data {
namespace {

constexpr std::size_t kMostProblems = 20;

void scan(const std::string& path, Oddities& oddities, SampleIndexBuilder& samples) {
  const FileSource source(path);
  source.expect_jumps();
  const std::string prefix = fmt::format("{}/", std::string_view(path).substr(path.find_last_of('/') + 1));
  const std::uint32_t file = samples.add_file(path, prefix, source.stamp());
  scan_shard(source, path, oddities, [&](const ShardSample& sample) {
    samples.add(
        sample.image.name,
        {.offset = sample.image.offset, .size = sample.image.size, .file = file, .label = sample.label});
  });
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
  for (const std::string& shard : shards) {
    try {
      scan(shard, oddities, samples);
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
