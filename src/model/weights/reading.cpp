#include "reading.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "head_match.hpp"
#include "naming.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/checkpoint/state_dict.hpp"

namespace polyhead::model {
namespace {

constexpr std::size_t kMaxReadings = 4;  // most readings in a message

/// Text "key: state_dict_ema, prefix: 'module.'", with the parts that distinguish readings.
std::string describe_reading(const Reading& reading, bool keys, bool prefixes) {
  std::vector<std::string> parts;
  if (keys) parts.push_back(fmt::format("key: '{}'", checkpoint::printable(reading.key)));
  if (prefixes) parts.push_back(fmt::format("prefix: '{}'", checkpoint::printable(reading.match.prefix)));
  return join(parts);
}

template <class Get>
bool differ_in(const std::vector<Reading>& readings, Get get) {
  return std::ranges::any_of(readings,
                             [&](const Reading& reading) { return get(reading) != get(readings.front()); });
}

std::vector<std::string> describe_readings(const std::vector<Reading>& readings) {
  const bool keys = differ_in(readings, [](const Reading& reading) { return reading.key; });
  const bool prefixes =
      !keys || differ_in(readings, [](const Reading& reading) { return reading.match.prefix; });
  std::vector<std::string> texts;
  for (const Reading& reading : readings) texts.push_back(describe_reading(reading, keys, prefixes));
  return texts;
}

std::string describe_star(const std::vector<Reading>& readings) {
  std::vector<std::string> prefixes;
  for (const Reading& reading : readings) prefixes.push_back(reading.match.prefix);
  const std::string star = starred(prefixes);
  const bool any_word = star.empty() || star == "*.";  // this would match each module of the file
  return any_word ? "" : fmt::format("; prefix: '{}' gives a head for each", star);
}

std::string contradiction(const std::vector<Reading>& readings, Part part) {
  std::vector<std::string> texts = describe_readings(readings);
  const std::size_t count = texts.size();
  if (count > kMaxReadings) {
    texts.resize(kMaxReadings - 1);
    texts.push_back(fmt::format("{} more", count - texts.size()));
  }
  return fmt::format("can be read in {} ways that give other values: say which with {}{}", count,
                     join(texts, " or "), part == Part::head ? describe_star(readings) : "");
}

/// One fitting reading per set of values.
std::vector<Reading> distinct(std::vector<Reading> fitting) {
  const std::vector<std::string> texts = describe_readings(fitting);
  std::vector<Reading> kept;
  for (std::size_t i = 0; i < fitting.size(); ++i) {
    const auto same = std::ranges::find_if(
        kept, [&](const Reading& reading) { return same_values(reading.match, fitting[i].match); });
    if (same == kept.end()) {
      kept.push_back(std::move(fitting[i]));
    } else if (same->match.found != fitting[i].match.found) {
      same->equals.push_back(texts[i]);
    }
  }
  return kept;
}

}  // namespace

std::shared_ptr<const checkpoint::Checkpoint> WeightsFiles::read(const std::filesystem::path& path,
                                                                 const std::string& key) {
  if (last_ != nullptr && path == path_ && key == key_) return last_;
  last_.reset();  // only one of two large files is in memory
  checkpoint::Checkpoint checkpoint = checkpoint::read_checkpoint(path, key);
  take_wrappers_off(checkpoint);
  path_ = path;
  key_ = key;
  last_ = std::make_shared<const checkpoint::Checkpoint>(std::move(checkpoint));
  return last_;
}

std::vector<ListedEntry> list_entries(WeightsFiles& files, const std::filesystem::path& path,
                                      const std::string& key) {
  std::vector<ListedEntry> listed;
  try {
    listed.push_back({key, files.read(path, key)});
  } catch (const checkpoint::SeveralStateDicts& several) {
    for (const checkpoint::StateDictEntry& entry : several.entries()) {
      checkpoint::Checkpoint tensors = entry.tensors;
      take_wrappers_off(tensors);
      listed.push_back({entry.key, std::make_shared<const checkpoint::Checkpoint>(std::move(tensors))});
    }
  }
  return listed;
}

Reading choose_reading(WeightsFiles& files, const std::filesystem::path& path, const std::string& key,
                       Part part, const Fit& fit) {
  const std::vector<ListedEntry> entries = list_entries(files, path, key);
  std::vector<Reading> fitting;
  Reading nearest;
  for (const ListedEntry& entry : entries) {
    std::vector<Match> matches = fit(*entry.tensors);
    const bool fits = matches.front().fits();
    if (!fits) {
      if (nearest.file == nullptr || matches.front().right > nearest.match.right)
        nearest = {entry.tensors, entry.key, std::move(matches.front()), {}};
      continue;
    }
    const auto file = entries.size() == 1 ? entry.tensors : files.read(path, entry.key);
    if (entries.size() > 1) matches = fit(*file);
    for (Match& match : matches) fitting.push_back({file, entry.key, std::move(match), {}});
  }
  if (fitting.empty()) return nearest;
  std::vector<Reading> kept = distinct(std::move(fitting));
  if (kept.size() > 1) kept.front().match.problems = {contradiction(kept, part)};
  return std::move(kept.front());
}

}  // namespace polyhead::model
