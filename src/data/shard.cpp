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

/// Place in the order of preference; nothing for what is no image.
std::optional<int> rank_of(std::string_view suffix) {
  static constexpr std::array<std::string_view, 3> kImages{"jpg", "jpeg", "png"};
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
  [[nodiscard]] std::string content(const TarEntry& entry) const;
  [[nodiscard]] std::int32_t label() const;

  const ByteSource& source_;
  const std::string& where_;
  Oddities& oddities_;
  const std::function<void(const ShardSample&)>& sample_;
  std::string key_;  ///< of the group at hand; empty: none
  std::optional<TarEntry> image_;
  int image_rank_ = 0;
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
    cls_ = std::move(entry);
  } else if (suffix == "json") {
    json_ = std::move(entry);
  } else if (const auto rank = rank_of(suffix); rank && (!image_ || *rank < image_rank_)) {
    image_ = std::move(entry);
    image_rank_ = *rank;
  }
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
  if (image_) {
    sample_({*image_, label()});
  } else if (!key_.empty()) {
    if (oddities_.without_image++ == 0) oddities_.first_without_image = fmt::format("{}/{}", where_, key_);
  }
  key_.clear();
  image_.reset();
  cls_.reset();
  json_.reset();
}

}  // namespace

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
