#include "shard.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "image_names.hpp"
#include "polyhead/base/error.hpp"
#include "shard_label.hpp"
#include "shown.hpp"

namespace polyhead::data {
namespace {

constexpr std::uint64_t kMostLabelBytes = std::uint64_t{16} << 20U;

[[noreturn]] void refuse(const std::string& where, std::string_view name, std::string_view problem) {
  throw Error(ExitCode::bad_data, fmt::format("{}: entry '{}': {}", where, shown(name), problem));
}

/// Without leading "./"; names that lead out of the archive are refused.
std::string cleaned(const std::string& where, std::string_view name) {
  std::string_view rest = name;
  while (rest.starts_with("./")) rest.remove_prefix(2);
  if (rest.starts_with('/')) refuse(where, name, "found an absolute name; expected a relative one");
  for (std::string_view path = rest; !path.empty();) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (path.substr(0, end) == "..") refuse(where, name, "found '..' in its name; expected none");
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return std::string(rest);
}

/// Where the key ends: at the first dot of the base name. Nothing for names without key or suffix.
std::optional<std::size_t> key_end(std::string_view name) {
  const std::size_t base = name.find_last_of('/') + 1;
  const std::size_t dot = name.find('.', base);
  if (dot == std::string_view::npos || dot == base) return std::nullopt;
  return dot;
}

constexpr std::array<std::string_view, 3> kImages{"jpg", "jpeg", "png"};  // in the order of preference

/// Place in the order of preference; nothing for what is no image.
std::optional<int> rank_of(std::string_view suffix) {
  const auto found = std::ranges::find(kImages, suffix);
  if (found == kImages.end()) return std::nullopt;
  return static_cast<int>(found - kImages.begin());
}

class Grouping {
 public:
  Grouping(const ByteSource& source, const std::string& where, Oddities& oddities,
           const std::function<void(const ShardSample&)>& sample)
      : source_(source), where_(where), oddities_(oddities), sample_(sample) {}

  void add(TarEntry entry);
  void finish();

 private:
  void keep(std::optional<TarEntry>& place, TarEntry entry) const;
  [[nodiscard]] std::string content(const TarEntry& entry) const;
  [[nodiscard]] std::int32_t label() const;

  const ByteSource& source_;
  const std::string& where_;
  Oddities& oddities_;
  const std::function<void(const ShardSample&)>& sample_;
  std::string key_;                                             ///< of the group at hand; empty: none
  std::array<std::optional<TarEntry>, kImages.size()> images_;  ///< by preference
  std::optional<TarEntry> cls_;
  std::optional<TarEntry> json_;
};

void Grouping::add(TarEntry entry) {
  entry.name = cleaned(where_, entry.name);
  const auto dot = key_end(entry.name);
  if (!dot) return;
  const std::string_view key = std::string_view(entry.name).substr(0, *dot);
  if (key != key_) {
    finish();
    key_ = key;
  }
  const std::string suffix = lower(std::string_view(entry.name).substr(*dot + 1));
  if (suffix == "cls") {
    keep(cls_, std::move(entry));
  } else if (suffix == "json") {
    keep(json_, std::move(entry));
  } else if (const auto rank = rank_of(suffix)) {
    keep(images_.at(static_cast<std::size_t>(*rank)), std::move(entry));
  }
}

/// Nobody can say which of two counts: tar's own tools take the last one, others the first.
void Grouping::keep(std::optional<TarEntry>& place, TarEntry entry) const {
  if (place) refuse_twice(where_, entry.name);
  place = std::move(entry);
}

std::string Grouping::content(const TarEntry& entry) const {
  if (entry.size > kMostLabelBytes) {
    refuse(where_, entry.name, fmt::format("found {} bytes; expected a label, at most 16 MiB", entry.size));
  }
  std::string text(entry.size, '\0');
  source_.read(entry.offset, std::as_writable_bytes(std::span(text)));
  return text;
}

std::int32_t Grouping::label() const {
  if (!cls_ && !json_) return -1;
  const TarEntry& entry = cls_ ? *cls_ : *json_;
  const std::string text = content(entry);
  const auto label = cls_ ? label_in_text(text) : label_in_json(text);
  if (label) return *label;
  const std::string_view form = cls_ ? "" : "an object with \"label\", \"cls\" or \"class\": ";
  refuse(where_, entry.name, fmt::format("found '{}'; expected {}{}", shown(text), form, kLabelRange));
}

void Grouping::finish() {
  const auto image = std::ranges::find_if(images_, [](const auto& entry) { return entry.has_value(); });
  if (image != images_.end()) {
    sample_({**image, label()});
  } else if (!key_.empty()) {
    if (oddities_.without_image++ == 0) oddities_.first_without_image = fmt::format("{}/{}", where_, key_);
  }
  key_.clear();
  images_ = {};
  cls_.reset();
  json_.reset();
}

}  // namespace

void refuse_twice(const std::string& where, std::string_view name) {
  refuse(where, name, "found it twice; expected each name once: make the shard again, without appending");
}

void scan_shard(const ByteSource& source, const std::string& where, Oddities& oddities,
                const std::function<void(const ShardSample&)>& sample) {
  TarReader tar(source, where);
  Grouping grouping(source, where, oddities, sample);
  while (auto entry = tar.next()) grouping.add(std::move(*entry));
  grouping.finish();
  oddities.links += tar.links();
  if (!tar.ended()) ++oddities.without_end;
}

}  // namespace polyhead::data
