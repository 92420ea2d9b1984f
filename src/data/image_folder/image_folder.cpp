#include "image_folder.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "class_folders.hpp"
#include "data/files/folder.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/image/image_names.hpp"

namespace polyhead::data {
namespace {

constexpr std::size_t kMaxNamed = 20;

std::string joined(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

class Scan {
 public:
  Scan(std::string base, SampleIndexBuilder& samples) : base_(std::move(base)), samples_(samples) {}
  void run();

 private:
  std::vector<std::string> look_at(const std::string& path, std::int32_t label);
  void walk(const std::string& path, std::int32_t label);
  void sort(std::int64_t first);
  void scan_flat(const std::vector<std::string>& folders);
  void scan_classes(const std::vector<std::string>& names);
  void note_foreign();
  [[nodiscard]] std::string id(const IndexEntry& entry) const {
    return joined(folders_[entry.file - first_file_], samples_.name(entry));
  }

  std::string base_;
  SampleIndexBuilder& samples_;
  std::vector<std::string> folders_;                ///< folders from number `first_file_` on
  std::uint32_t first_file_ = 0;                    ///< first file of the current class
  std::vector<std::pair<dev_t, ino_t>> ancestors_;  ///< ancestors of the current folder
  std::int64_t foreign_ = 0;                        ///< images of kinds that are not read
  std::string foreign_name_;                        ///< name of one of them
};

/// Adds the images directly in this folder and returns its sub-folders.
std::vector<std::string> Scan::look_at(const std::string& path, std::int32_t label) {
  Folder folder(within(base_, path));
  if (std::ranges::find(ancestors_, folder.identity()) != ancestors_.end()) {
    samples_.note(fmt::format("data: {}: skipped, a link to a folder that it lies in", within(base_, path)));
    ancestors_.push_back(folder.identity());
    return {};
  }
  ancestors_.push_back(folder.identity());
  const std::string prefix = path.empty() ? "" : fmt::format("{}/", path);
  const std::uint32_t file = samples_.add_file(path, prefix, folder.stamp());
  folders_.push_back(path);
  std::vector<std::string> folders;
  while (const auto item = folder.next()) {
    if (item->is_folder) {
      folders.emplace_back(item->name);
    } else if (image::is_image_name(item->name)) {
      samples_.add(item->name, {.file = file, .label = label});
    } else if (image::is_foreign_image_name(item->name)) {
      if (foreign_++ == 0) foreign_name_ = joined(path, item->name);
    }
  }
  return folders;
}

void Scan::walk(const std::string& path, std::int32_t label) {
  for (const std::string& name : look_at(path, label)) walk(joined(path, name), label);
  ancestors_.pop_back();
}

/// Sorts by folder, then by name, as Python sorts what `os.walk` gives: "a" < "a-b" < "a/b".
void Scan::sort(std::int64_t first) {
  std::vector<std::uint32_t> order(folders_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&](std::uint32_t i) -> const std::string& { return folders_[i]; });
  std::vector<std::uint32_t> rank(folders_.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
  std::ranges::sort(samples_.entries(first), [&](const IndexEntry& a, const IndexEntry& b) {
    if (a.file != b.file) return rank[a.file - first_file_] < rank[b.file - first_file_];
    return std::strcmp(samples_.name(a), samples_.name(b)) < 0;
  });
}

void Scan::scan_flat(const std::vector<std::string>& folders) {
  sort(0);
  const std::int64_t images = samples_.size();
  for (const std::string& name : folders) {
    walk(name, -1);
    if (samples_.size() == images) continue;
    throw Error(
        ExitCode::bad_data,
        fmt::format("{}: found images beside the class folders ({}) and in them ({}); expected either "
                    "class folders or images without labels; move the images elsewhere, or write a "
                    "manifest (data.path: list.csv, `path,label` a line)",
                    base_, id(samples_.entries(0)[0]), id(samples_.entries(images)[0])));
  }
}

void Scan::scan_classes(const std::vector<std::string>& names) {
  std::vector<std::string> empty;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::int64_t first = samples_.size();
    first_file_ += static_cast<std::uint32_t>(std::exchange(folders_, {}).size());
    samples_.add_class(names[i]);
    walk(names[i], static_cast<std::int32_t>(i));
    if (samples_.size() == first) empty.push_back(names[i]);
    sort(first);
  }
  if (empty.empty()) return;
  const std::size_t count = empty.size();
  empty.resize(std::min(count, kMaxNamed));
  throw Error(ExitCode::bad_data,
              fmt::format("{}: found no image in {} of {} class folders ({}{}), expected {} files in each; "
                          "remove these folders or fill them{}",
                          base_, count, names.size(), join(empty), count > kMaxNamed ? ", ..." : "",
                          image::image_suffixes(), what_lies_in(within(base_, empty.front()))));
}

void Scan::note_foreign() {
  if (foreign_ == 0) return;
  samples_.note(
      fmt::format("data: {}: left out {} image file(s) of other kinds ({} for one); only {} are read, by "
                  "their suffixes {}",
                  base_, foreign_, foreign_name_, image::image_formats(), image::image_suffixes()));
}

void Scan::run() {
  std::vector<std::string> folders = look_at("", -1);
  std::ranges::sort(folders);
  samples_.size() > 0 ? scan_flat(folders) : scan_classes(folders);
  note_foreign();
  if (samples_.size() > 0) return;
  const std::string there = what_lies_in(base_);
  const bool foreign = foreign_ > 0 && there.empty();
  throw Error(
      ExitCode::bad_data,
      fmt::format("{}: found no images; expected class folders with {} files, or such files{}", base_,
                  image::image_suffixes(),
                  foreign ? fmt::format(" (and found {} image files of other kinds)", foreign_) : there));
}

}  // namespace

void scan_image_folder(const std::string& folder, SampleIndexBuilder& samples) {
  Scan(folder, samples).run();
}

}  // namespace polyhead::data
