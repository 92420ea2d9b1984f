#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "data/files/byte_source.hpp"
#include "tar_header.hpp"

namespace polyhead::data {

/// A regular file in a tar.
struct TarEntry {
  std::string name;
  std::uint64_t offset = 0;  ///< position of its first byte in the archive
  std::uint64_t size = 0;
};

/// Walks through the headers of a tar: ustar, long names and sizes of GNU and pax. Contents are not read.
class TarReader {
 public:
  /// `source` must outlive the reader; `where` names it in messages. Throws Error(bad_data) when it is empty
  /// or compressed.
  TarReader(const ByteSource& source, std::string where);

  /// Next regular file; folders, links and devices are skipped. Throws Error(bad_data) with the byte at which
  /// the archive is cut off or damaged, or at which another archive follows its end.
  std::optional<TarEntry> next();
  /// Whether the archive has reached the block that marks its end. Without it, entries may be lost.
  [[nodiscard]] bool ended() const { return ended_; }
  /// Whether non-zero bytes follow that end. They are no header: `next` refuses a second archive.
  [[nodiscard]] bool more_after_end() const { return more_after_end_; }
  /// Number of hard and symbolic links skipped so far.
  [[nodiscard]] std::int64_t links() const { return links_; }

 private:
  using Records = std::map<std::string, std::string, std::less<>>;
  [[nodiscard]] bool read_header();
  [[nodiscard]] std::string content(std::uint64_t size) const;
  void parse_pax(std::string_view text, Records& records) const;
  [[nodiscard]] const std::string* record(std::string_view key) const;
  [[nodiscard]] std::uint64_t entry_size(const TarHeader& header) const;
  [[nodiscard]] std::string entry_name(const TarHeader& header) const;
  void check_whole(std::uint64_t size, const std::string& name) const;
  void look_behind_end();
  [[nodiscard]] bool is_header_at(std::uint64_t offset) const;
  bool take_extension(const TarHeader& header);
  [[noreturn]] void fail(std::string_view problem) const;

  const ByteSource& source_;
  std::string where_;
  std::array<std::byte, kTarBlock> block_{};
  std::uint64_t header_ = 0;              ///< start of the current header
  std::uint64_t at_ = 0;                  ///< start of the next header
  Records global_;                        ///< pax 'g' records
  Records local_;                         ///< pax 'x' records of the next entry
  std::optional<std::string> long_name_;  ///< GNU 'L' name of the next entry
  std::int64_t links_ = 0;
  bool ended_ = false;
  bool more_after_end_ = false;
};

}  // namespace polyhead::data
