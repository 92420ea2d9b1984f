#include "webdataset.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "data/files/sanitized.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/image/image_names.hpp"
#include "shard.hpp"

namespace polyhead::data {
namespace {

constexpr std::size_t kMaxProblems = 20;
constexpr std::size_t kMaxSuffixesNamed = 6;

/// Length of the longest folder, with its slash, that holds all shards. The rest of a path names a shard: its
/// base name, where all are in one folder.
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

void scan(const std::string& path, std::size_t folder, Oddities& oddities, SampleIndexBuilder& samples) {
  const FileSource source(path);
  source.expect_jumps();
  const std::string prefix = fmt::format("{}/", std::string_view(path).substr(folder));
  const std::uint32_t file = samples.add_file(path, prefix, source.stamp());
  scan_shard(source, path, oddities, [&](const ShardSample& sample) {
    samples.add(
        sample.image.name,
        {.offset = sample.image.offset, .size = sample.image.size, .file = file, .label = sample.label});
  });
}

[[noreturn]] void refuse(const std::vector<std::string>& problems, std::size_t shards) {
  const bool more = problems.size() == kMaxProblems;
  throw Error(ExitCode::bad_data,
              fmt::format("{}{} of {} shard(s) cannot be used:\n  {}\nmake them again, or leave them out of "
                          "data.path",
                          more ? "at least " : "", problems.size(), shards, join(problems, "\n  ")));
}

/// Text ".txt (7), .webp (5)", the most frequent first.
std::string by_frequency(const std::map<std::string, std::int64_t>& suffixes) {
  std::vector<std::pair<std::int64_t, std::string>> order;
  for (const auto& [suffix, count] : suffixes) order.emplace_back(-count, suffix);
  std::ranges::sort(order);
  std::vector<std::string> texts;
  for (const auto& [count, suffix] : order) {
    if (texts.size() == kMaxSuffixesNamed) break;
    texts.push_back(
        fmt::format("{} ({})", suffix.empty() ? "without a suffix" : sanitized("." + suffix), -count));
  }
  const std::size_t more = order.size() - texts.size();
  return join(texts) + (more > 0 ? fmt::format(" and {} more kind(s)", more) : "");
}

void note_unknown(const Oddities& oddities, SampleIndexBuilder& samples) {
  if (oddities.unknown.empty()) return;
  std::int64_t count = 0;
  for (const auto& [suffix, entries] : oddities.unknown) count += entries;
  samples.note(
      fmt::format("data: left out {} entries that are no {}, .cls or .json (a key ends at the first dot): {}",
                  count, image::image_suffix_list(), by_frequency(oddities.unknown)));
}

void note_groups(const Oddities& oddities, SampleIndexBuilder& samples) {
  if (oddities.without_image == 0) return;
  samples.note(fmt::format("data: left out {} group(s) of files without {}{}; the first is {}",
                           oddities.without_image, image::image_suffixes("KEY"),
                           oddities.labels_without_image > 0
                               ? fmt::format(", {} of them with a label", oddities.labels_without_image)
                               : "",
                           oddities.first_without_image));
}

void note(const Oddities& oddities, SampleIndexBuilder& samples) {
  note_groups(oddities, samples);
  note_unknown(oddities, samples);
  if (oddities.hidden > 0) {
    samples.note(fmt::format("data: left out {} entries whose names begin with a dot; the first is {}",
                             oddities.hidden, sanitized(oddities.first_hidden)));
  }
  if (oddities.links > 0) {
    samples.note(fmt::format("data: left out {} link(s) in the shards; only files are read", oddities.links));
  }
  if (oddities.without_end > 0) {
    samples.note(fmt::format("data: {} shard(s) have no end mark: their last samples may be lost",
                             oddities.without_end));
  }
  if (oddities.after_end > 0) {
    samples.note(
        fmt::format("data: {} shard(s) have bytes behind their end mark that are no tar; they are "
                    "left out",
                    oddities.after_end));
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
      if (problems.size() == kMaxProblems) break;
    }
  }
  if (!problems.empty()) refuse(problems, shards.size());
  note(oddities, samples);
  if (samples.size() > 0) return;
  throw Error(ExitCode::bad_data,
              fmt::format("{}{}: found no images; expected entries {}", shards[0],
                          shards.size() > 1 ? fmt::format(" and {} more shard(s)", shards.size() - 1) : "",
                          image::image_suffixes("KEY")));
}

}  // namespace polyhead::data
