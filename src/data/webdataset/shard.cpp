#include "shard.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "data/files/sanitized.hpp"
#include "polyhead/base/stop.hpp"
#include "polyhead/image/image_names.hpp"
#include "shard_entry.hpp"
#include "shard_label.hpp"

namespace polyhead::data {
namespace {

constexpr std::uint64_t kMaxLabelBytes = std::uint64_t{16} << 20U;
constexpr std::size_t kMaxSuffixBytes = 40;

/// Place of a part of a sample. Small, as there may be millions.
struct Place {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::array<char, 5> suffix{};  ///< suffix as written, at most four bytes; empty: the part is not there

  [[nodiscard]] bool there() const { return suffix[0] != '\0'; }
  [[nodiscard]] std::string_view text() const {
    return {suffix.data(), static_cast<std::size_t>(std::ranges::find(suffix, '\0') - suffix.begin())};
  }
};

/// Parts under one key of a shard.
struct Group {
  std::string key;
  Place image;
  Place cls;
  Place json;

  [[nodiscard]] std::string name(const Place& place) const { return fmt::format("{}.{}", key, place.text()); }
};

class Joining {
 public:
  Joining(const ByteSource& source, const std::string& where, Oddities& oddities)
      : source_(source), where_(where), oddities_(oddities) {}

  void add(const TarEntry& entry);
  void finish(const std::function<void(const ShardSample&)>& sample);

 private:
  Group& group(std::string&& key);
  void keep(const Group& group, Place& place, const TarEntry& entry, const ShardName& name) const;
  [[nodiscard]] std::string content(const Group& group, const Place& place) const;
  [[nodiscard]] std::int32_t cls_label(const Group& group) const;
  [[nodiscard]] std::int32_t json_label(const Group& group) const;
  void check_labels_agree(const Group& group, std::int32_t label) const;
  [[nodiscard]] std::int32_t label(const Group& group) const;
  void pass_over(const Group& group);

  const ByteSource& source_;
  const std::string& where_;
  Oddities& oddities_;
  std::deque<Group> groups_;                             ///< groups by their first entry; they stay in their
                                                         ///< places
  std::unordered_map<std::string_view, Group*> by_key_;  ///< groups by key; the keys belong to the groups
};

void Joining::add(const TarEntry& entry) {
  const std::string name = clean_entry_name(where_, entry.name);
  if (is_hidden_entry(name)) {
    if (oddities_.hidden++ == 0) oddities_.first_hidden = fmt::format("{}/{}", where_, name);
    return;
  }
  auto parts = split_entry_name(name);
  if (!parts) return oddities_.count_unknown("");
  Group& joined = group(std::move(parts->key));
  switch (parts->part) {
    case ShardPart::image:
      return keep(joined, joined.image, entry, *parts);
    case ShardPart::cls:
      return keep(joined, joined.cls, entry, *parts);
    case ShardPart::json:
      return keep(joined, joined.json, entry, *parts);
    case ShardPart::other:
      return oddities_.count_unknown(image::lower(parts->suffix));
  }
}

Group& Joining::group(std::string&& key) {
  if (!groups_.empty() && groups_.back().key == key) return groups_.back();  // most shards are sorted
  if (const auto found = by_key_.find(key); found != by_key_.end()) return *found->second;
  Group& added = groups_.emplace_back();
  added.key = std::move(key);
  by_key_.emplace(added.key, &added);
  return added;
}

/// Refuses a second entry for a part. Which of two counts is unclear: tar's own tools take the last one,
/// others the first.
void Joining::keep(const Group& group, Place& place, const TarEntry& entry, const ShardName& name) const {
  const std::string full = fmt::format("{}.{}", group.key, name.suffix);
  if (place.there() && group.name(place) == full) {
    refuse_entry(where_, full,
                 "found it twice; expected each name once: make the shard again, without appending");
  }
  if (place.there()) {
    refuse_entry(
        where_, full,
        fmt::format("found '{}' of the same sample, too; expected one {} for a key: leave one of them "
                    "out of the shard",
                    sanitized(group.name(place)), name.part == ShardPart::image ? "image" : "label"));
  }
  place.offset = entry.offset;
  place.size = entry.size;
  name.suffix.copy(place.suffix.data(), place.suffix.size() - 1);
}

std::string Joining::content(const Group& group, const Place& place) const {
  if (place.size > kMaxLabelBytes) {
    refuse_entry(where_, group.name(place),
                 fmt::format("found {} bytes; expected a label, at most 16 MiB", place.size));
  }
  std::string text(place.size, '\0');
  source_.read(place.offset, std::as_writable_bytes(std::span(text)));
  return text;
}

std::int32_t Joining::cls_label(const Group& group) const {
  const std::string text = content(group, group.cls);
  if (const auto label = label_in_text(text)) return *label;
  refuse_entry(where_, group.name(group.cls),
               fmt::format("found '{}'; expected {}", sanitized(text), kLabelRange));
}

std::int32_t Joining::json_label(const Group& group) const {
  const std::string text = content(group, group.json);
  if (const auto label = label_in_json(text)) return *label;
  refuse_entry(where_, group.name(group.json),
               fmt::format("found '{}'; expected an object with \"label\", \"cls\" or \"class\": {}",
                           sanitized(text), kLabelRange));
}

/// Refuses two labels that differ. Beside a .cls, a .json is often about something else: only a label in it
/// counts.
void Joining::check_labels_agree(const Group& group, std::int32_t label) const {
  const std::int32_t other = label_in_json(content(group, group.json)).value_or(-1);
  if (other < 0 || other == label) return;
  refuse_entry(
      where_, group.name(group.cls),
      fmt::format("found label {}, but '{}' says {}; expected the same: leave one of them out of the "
                  "shard",
                  label, sanitized(group.name(group.json)), other));
}

std::int32_t Joining::label(const Group& group) const {
  if (!group.cls.there()) return group.json.there() ? json_label(group) : -1;
  const std::int32_t label = cls_label(group);
  if (group.json.there()) check_labels_agree(group, label);
  return label;
}

void Joining::pass_over(const Group& group) {
  if (oddities_.without_image++ == 0) oddities_.first_without_image = fmt::format("{}/{}", where_, group.key);
  if (group.cls.there() || group.json.there()) ++oddities_.labels_without_image;
}

void Joining::finish(const std::function<void(const ShardSample&)>& sample) {
  for (const Group& group : groups_) {
    if (group.image.there()) {
      sample({{group.name(group.image), group.image.offset, group.image.size}, label(group)});
    } else {
      pass_over(group);
    }
  }
}

}  // namespace

void Oddities::count_unknown(const std::string& suffix) {
  const std::string kind = suffix.substr(0, kMaxSuffixBytes);
  const bool full = unknown.size() >= kMaxSuffixes && !unknown.contains(kind);
  ++unknown[full ? "..." : kind];
}

void scan_shard(const ByteSource& source, const std::string& where, Oddities& oddities,
                const std::function<void(const ShardSample&)>& sample) {
  TarReader tar(source, where);
  Joining joining(source, where, oddities);
  while (const auto entry = tar.next()) {
    throw_if_stop_asked();
    joining.add(*entry);
  }
  joining.finish(sample);
  oddities.links += tar.links();
  if (!tar.ended()) ++oddities.without_end;
  if (tar.more_after_end()) ++oddities.after_end;
}

}  // namespace polyhead::data
