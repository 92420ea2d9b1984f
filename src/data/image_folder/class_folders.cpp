#include "class_folders.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "data/files/sanitized.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/image/file_kind.hpp"
#include "polyhead/image/image_names.hpp"

namespace polyhead::data {
namespace {

using Names = std::vector<std::string>;
namespace fs = std::filesystem;

bool is_number(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

/// Compares numbers of any length by value.
bool less(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

std::string doubt_about_order(const Names& names) {
  if (!std::ranges::all_of(names, is_number)) return "";
  const auto turn =
      std::ranges::adjacent_find(names, [](const auto& a, const auto& b) { return less(b, a); });
  if (turn == names.end()) return "";
  const auto place = turn - names.begin();
  return fmt::format(
      "its class folders are numbers, but sorted as text, as torchvision does: '{}' is class {}, "
      "before '{}', class {}; where the heads' outputs follow the numbers, say so with "
      "data.classes: [0, 1, 2, ...], the folders in the order of the outputs",
      *turn, place, *(turn + 1), place + 1);
}

std::string doubt_about_splits(const Names& names) {
  static constexpr std::array<std::string_view, 9> kSplits{"train", "training", "val", "valid", "validation",
                                                           "test",  "testing",  "dev", "eval"};
  const auto is_split = [&](const std::string& name) {
    return std::ranges::find(kSplits, image::lower(name)) != kSplits.end();
  };
  if (!std::ranges::all_of(names, is_split)) return "";
  return fmt::format(
      "its class folders are called {}, which are parts of a data set rather than classes: is "
      "data.path to be one of them?",
      join(names));
}

struct Found {
  std::string name;
  image::FileKind kind;
};

/// Kinds of the files in the folder; examines a limited number of them.
std::vector<Found> kinds_in(const std::string& folder) {
  constexpr int kMaxFiles = 50;
  std::vector<Found> found;
  std::error_code error;
  int files = 0;
  for (fs::recursive_directory_iterator item(folder, error), end; !error && item != end;
       item.increment(error)) {
    if (item->is_directory(error)) continue;
    if (++files > kMaxFiles) break;
    if (const auto kind = image::kind_of_file(item->path().native())) {
      found.push_back({fs::path(item->path()).lexically_relative(folder).native(), *kind});
    }
  }
  std::ranges::sort(found, {}, &Found::name);
  return found;
}

/// Whether this is CIFAR's Python version, which is often taken for the binary one.
bool is_python_cifar(const std::vector<Found>& found) {
  return std::ranges::any_of(found, [](const Found& file) {
    return file.kind.family == image::KindFamily::pickle &&
           fs::path(file.name).filename().native().find("batch") != std::string::npos;
  });
}

std::string advice(const std::vector<Found>& found) {
  if (is_python_cifar(found)) {
    return "is this CIFAR-10 for Python? take its binary version (cifar-10-binary.tar.gz)";
  }
  const image::FileKind& kind = found.front().kind;
  if (kind.is_read) return fmt::format("give their names the suffix {}", image::image_suffixes());
  return image::way_on(kind.family);
}

}  // namespace

std::string doubt_about_classes(const Names& names) {
  if (names.empty()) return "";
  const std::string splits = doubt_about_splits(names);
  return splits.empty() ? doubt_about_order(names) : splits;
}

std::string what_lies_in(const std::string& folder) {
  constexpr std::size_t kShown = 3;
  const auto found = kinds_in(folder);
  if (found.empty()) return "";
  std::vector<std::string> shown_files;
  for (std::size_t i = 0; i < std::min(kShown, found.size()); ++i) {
    shown_files.push_back(fmt::format("{} is {}", sanitized(found[i].name), found[i].kind.name));
  }
  const std::string more = found.size() > kShown ? fmt::format(" (and {} more)", found.size() - kShown) : "";
  return fmt::format("; {}{}: {}", join(shown_files), more, advice(found));
}

}  // namespace polyhead::data
