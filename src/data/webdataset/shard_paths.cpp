#include "shard_paths.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <sys/stat.h>

#include "data/files/folder.hpp"
#include "data/files/sanitized.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/image/image_names.hpp"

namespace polyhead::data {
namespace {

constexpr std::size_t kMaxNamed = 20;
constexpr std::size_t kMaxShards = 1'000'000;

[[noreturn]] void refuse(const std::string& pattern, std::string_view what) {
  throw Error(ExitCode::config,
              fmt::format("data.path: {}: found {}; expected ranges such as {{000..127}} and lists such as "
                          "{{train,val}}",
                          pattern, what));
}

std::size_t number(const std::string& pattern, std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    refuse(pattern, fmt::format("'{}' in a range", text));
  }
  return value;
}

/// Numbers of a range. They are as long as the longer of the two bounds, if one starts with a zero.
std::vector<std::string> range(const std::string& pattern, std::string_view from, std::string_view to) {
  const std::size_t first = number(pattern, from);
  const std::size_t last = number(pattern, to);
  if (last < first || last - first >= kMaxShards) refuse(pattern, fmt::format("the range {}..{}", from, to));
  const auto padded = [](std::string_view text) { return text.size() > 1 && text[0] == '0'; };
  const std::size_t width = padded(from) || padded(to) ? std::max(from.size(), to.size()) : 0;
  std::vector<std::string> words;
  words.reserve(last - first + 1);
  for (std::size_t i = first; i <= last; ++i) words.push_back(fmt::format("{:0{}}", i, width));
  return words;
}

std::vector<std::string> words_of(const std::string& pattern, std::string_view braces) {
  const std::size_t dots = braces.find("..");
  if (dots != std::string_view::npos) return range(pattern, braces.substr(0, dots), braces.substr(dots + 2));
  if (braces.find(',') == std::string_view::npos) refuse(pattern, fmt::format("'{{{}}}'", braces));
  std::vector<std::string> words;
  while (true) {
    const std::size_t comma = std::min(braces.find(','), braces.size());
    words.emplace_back(braces.substr(0, comma));
    if (comma == braces.size()) return words;
    braces.remove_prefix(comma + 1);
  }
}

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

/// Other files in a folder of shards.
struct Beside {
  std::int64_t hidden = 0;
  std::int64_t others = 0;
  std::string first_hidden;
  std::string first_other;
  std::string packed;  ///< name of a compressed shard

  void add(const std::string& name);
  void tell(const std::string& folder) const;
};

void Beside::add(const std::string& name) {
  if (name.starts_with('.')) {
    if (hidden++ == 0) first_hidden = name;
  } else if (is_packed_shard_name(name)) {
    packed = name;
  } else if (others++ == 0) {
    first_other = name;
  }
}

void Beside::tell(const std::string& folder) const {
  if (hidden > 0) {
    log::warning(
        fmt::format("data: {}: left out {} file(s) or folder(s) whose names begin with a dot; the first "
                    "is {}",
                    folder, hidden, sanitized(first_hidden)));
  }
  if (others == 0) return;
  log::warning(fmt::format("data: {}: left out {} file(s) or folder(s) that are no .tar; the first is {}",
                           folder, others, sanitized(first_other)));
}

std::vector<std::string> shards_in(const std::string& path) {
  Folder folder(path);
  std::vector<std::string> shards;
  Beside beside;
  while (const auto item = folder.next()) {
    const bool is_shard = !item->is_folder && item->name.ends_with(".tar") && !item->name.starts_with('.');
    if (is_shard) {
      shards.push_back(fmt::format("{}/{}", path, item->name));
    } else {
      beside.add(std::string(item->name));
    }
  }
  if (!beside.packed.empty()) {
    throw Error(
        ExitCode::bad_data,
        fmt::format("{}: found compressed shards ({}); expected plain .tar files: unpack them to .tar, "
                    "or move them elsewhere",
                    path, beside.packed));
  }
  if (shards.empty()) {
    throw Error(ExitCode::bad_data,
                fmt::format("{}: found no .tar files; expected at least one shard", path));
  }
  beside.tell(path);
  std::ranges::sort(shards);
  return shards;
}

void check_there(const std::string& pattern, const std::vector<std::string>& shards) {
  std::vector<std::string> missing;
  std::ranges::remove_copy_if(shards, std::back_inserter(missing), exists);
  if (missing.empty()) return;
  const std::size_t count = missing.size();
  missing.resize(std::min(count, kMaxNamed));
  throw Error(
      ExitCode::no_input,
      fmt::format("data.path: {}: {} of {} shards are missing:\n  {}{}\ncopy them there, or leave them "
                  "out of the pattern",
                  pattern, count, shards.size(), join(missing, "\n  "), count > kMaxNamed ? "\n  ..." : ""));
}

/// Refuses a repeated shard: its samples would count twice.
void check_once(const std::string& pattern, std::vector<std::string> shards) {
  std::ranges::sort(shards);
  const auto twice = std::ranges::adjacent_find(shards);
  if (twice != shards.end()) refuse(pattern, fmt::format("{} twice", *twice));
}

}  // namespace

std::vector<std::string> expand_braces(const std::string& pattern) {
  std::vector<std::string> done{""};
  std::string_view rest = pattern;
  while (!rest.empty()) {
    const std::size_t open = std::min(rest.find('{'), rest.size());
    for (std::string& path : done) path += rest.substr(0, open);
    if (open == rest.size()) break;
    const std::size_t close = rest.find('}', open);
    if (close == std::string_view::npos) refuse(pattern, "'{' without '}'");
    const auto words = words_of(pattern, rest.substr(open + 1, close - open - 1));
    if (words.size() * done.size() > kMaxShards) refuse(pattern, "more than 1000000 shards");
    std::vector<std::string> longer;
    longer.reserve(words.size() * done.size());
    for (const std::string& path : done) {
      for (const std::string& word : words) longer.push_back(fmt::format("{}{}", path, word));
    }
    done = std::move(longer);
    rest.remove_prefix(close + 1);
  }
  return done;
}

bool is_packed_shard_name(std::string_view name) {
  static constexpr std::array<std::string_view, 7> kSuffixes{".tar.gz", ".tgz",     ".tar.zst", ".tar.zstd",
                                                             ".tar.xz", ".tar.bz2", ".tar.lz4"};
  const std::string end = image::lower(name);
  return std::ranges::any_of(kSuffixes, [&](std::string_view suffix) { return end.ends_with(suffix); });
}

bool is_shard_name(std::string_view name) {
  if (name.substr(name.find_last_of('/') + 1).starts_with('.')) return false;
  return name.ends_with(".tar") || is_packed_shard_name(name);
}

std::vector<std::string> shard_paths(const std::string& path) {
  if (is_folder(path)) return shards_in(path);
  if (exists(path) || path.find('{') == std::string::npos) {
    check_there(path, {path});
    return {path};
  }
  auto shards = expand_braces(path);
  check_once(path, shards);
  check_there(path, shards);
  return shards;
}

}  // namespace polyhead::data
