#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/files/stamp.hpp"
#include "polyhead/base/digest.hpp"
#include "polyhead/base/memory_map.hpp"
#include "sample_index_format.hpp"

namespace polyhead::data {

/// One sample in the list.
struct IndexEntry {
  std::uint64_t name = 0;    ///< position of the text
  std::uint64_t offset = 0;  ///< position of the first byte in its file
  std::uint64_t size = 0;
  std::uint32_t file = 0;
  std::int32_t label = -1;
};
static_assert(sizeof(IndexEntry) == 32);

/// List of a data set's samples: a read-only file in memory, of which the system keeps as much as fits. Made
/// by `SampleIndexBuilder`. All that is read is checked: a damaged list throws Error(bad_data) and never
/// crashes.
class SampleIndex {
 public:
  /// A file that holds samples: a folder or a tar shard.
  struct File {
    std::string_view path;
    std::string_view prefix;  ///< prefix of its samples' ids
    Stamp stamp;
  };

  /// Opens the list. Nothing when there is none, or when it is damaged, cut off or of another version.
  static std::optional<SampleIndex> open(const std::filesystem::path& path);

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(header_.samples); }
  [[nodiscard]] std::int64_t labelled() const { return static_cast<std::int64_t>(header_.labelled); }
  [[nodiscard]] const IndexEntry& entry(std::int64_t index) const;
  [[nodiscard]] std::string_view name(const IndexEntry& entry) const { return text(entry.name); }
  [[nodiscard]] std::uint64_t files() const { return header_.files; }
  [[nodiscard]] File file(std::uint64_t index) const;
  [[nodiscard]] std::vector<std::string> class_names() const;
  [[nodiscard]] std::string_view source() const { return text(header_.source); }
  [[nodiscard]] std::string_view notes() const { return text(header_.notes); }
  /// Digest of the samples' ids and labels, and of the class names.
  [[nodiscard]] Digest digest() const { return header_.digest; }
  /// Digest of the samples' places in their files, and of their sizes there.
  [[nodiscard]] Digest places() const { return header_.places; }

 private:
  SampleIndex(MemoryMap map, std::filesystem::path path);
  [[nodiscard]] bool well_formed();
  [[nodiscard]] std::string_view text(std::uint64_t position) const;
  [[noreturn]] void damaged() const;

  MemoryMap map_;
  std::filesystem::path path_;
  index_format::Header header_{};
  std::span<const IndexEntry> entries_;
  std::span<const index_format::FileRecord> files_;
  std::span<const std::uint64_t> classes_;
  std::span<const char> texts_;
};

}  // namespace polyhead::data
