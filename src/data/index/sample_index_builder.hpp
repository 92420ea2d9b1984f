#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/files/growing_file.hpp"
#include "data/progress.hpp"
#include "polyhead/base/digest.hpp"
#include "sample_index.hpp"

namespace polyhead::data {

/// Writes a `SampleIndex` sample by sample; the samples are never all in memory. All errors are
/// Error(cant_create).
class SampleIndexBuilder {
 public:
  explicit SampleIndexBuilder(const std::filesystem::path& path);

  /// Adds a file and returns its number. `path`: absolute, or relative to the data set's folder.
  std::uint32_t add_file(std::string_view path, std::string_view prefix, Stamp stamp);
  void add_class(std::string_view name);
  /// Adds a sample; sets `entry.name`.
  void add(std::string_view name, IndexEntry entry);
  /// Adds a warning for the log, now and whenever the list is used again.
  void note(std::string_view text);

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(header_.samples); }
  /// Entries from `first` on, for sorting. Valid until the next call of `add`.
  [[nodiscard]] std::span<IndexEntry> entries(std::int64_t first);
  [[nodiscard]] const char* name(const IndexEntry& entry) const { return text(entry.name); }

  /// Publishes the list under its name; `source` identifies what was listed.
  void finish(std::string_view source);

 private:
  /// Checks between samples for a stop and reports progress.
  void look_up();
  std::uint64_t add_text(std::string_view text);
  [[nodiscard]] const char* text(std::uint64_t position) const;
  [[nodiscard]] Digest digest();
  [[nodiscard]] Digest places();

  GrowingFile file_;
  GrowingFile texts_;
  std::vector<index_format::FileRecord> files_;
  std::vector<std::uint64_t> classes_;
  std::string notes_;
  index_format::Header header_{};
  Progress progress_;
};

/// The list in the file `path`, if it is one of `source` and nothing in it has changed since. Otherwise a new
/// list that `scan` fills. Relative paths of files in the list are relative to `base`. Logs what it does.
SampleIndex list_samples(const std::filesystem::path& path, const std::string& source,
                         const std::string& base, const std::function<void(SampleIndexBuilder&)>& scan);

/// `path` in the folder `base`, unless it is absolute; bytes stay as they are.
std::string within(std::string_view base, std::string_view path);

}  // namespace polyhead::data
