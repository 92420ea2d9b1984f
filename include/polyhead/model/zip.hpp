#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace polyhead::model {

class InputFile;

/// The records of a zip file as `torch.save` writes it: stored, never compressed. The central directory is
/// believed only as far as the file's size confirms it.
/// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
class ZipReader {
 public:
  struct Record {
    std::uint64_t header = 0;  ///< byte at which its local header starts
    std::uint64_t size = 0;    ///< bytes
    bool stored = true;        ///< neither compressed nor encrypted
    std::uint32_t crc = 0;     ///< 0: written without one
  };

  /// Throws Error: no_input, or bad_data when the file is truncated or damaged.
  explicit ZipReader(const std::filesystem::path& path);
  ~ZipReader();

  [[nodiscard]] const std::unordered_map<std::string, Record>& records() const { return records_; }
  [[nodiscard]] std::uint64_t file_size() const;
  /// Null when there is none of this name.
  [[nodiscard]] const Record* find(const std::string& name) const;
  /// Where the record's bytes start in the file. Throws Error(bad_data) when they do not lie within it,
  /// are compressed or encrypted, or differ from their checksum (each call reads them through once).
  [[nodiscard]] std::uint64_t verified_data(const std::string& name, const Record& record) const;
  /// Reads bytes of the file; the range must lie within it.
  [[nodiscard]] std::vector<std::byte> read(std::uint64_t offset, std::size_t count) const;

 private:
  void add_record(std::span<const std::byte> entry, const std::string& name);
  [[nodiscard]] std::uint64_t locate(const std::string& name, const Record& record) const;
  void read_directory(std::uint64_t offset, std::uint64_t size);

  std::unique_ptr<InputFile> file_;
  std::unordered_map<std::string, Record> records_;
};

}  // namespace polyhead::model
