#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace polyhead::checkpoint {

class InputFile;

/// Records of a zip file. `torch.save` stores them as they are; people and `numpy.savez_compressed` also
/// deflate them. The central directory is trusted only as far as the file's size confirms it.
/// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
class ZipReader {
 public:
  enum class Packing : std::uint8_t { stored, deflated, encrypted, unknown };
  struct Record {
    std::uint64_t header = 0;  ///< byte at which its local header starts
    std::uint64_t size = 0;    ///< bytes, unpacked
    std::uint64_t packed = 0;  ///< bytes in the file
    Packing packing = Packing::stored;
    std::uint32_t crc = 0;  ///< 0: written without one
  };

  /// Throws Error: no_input, or bad_data when the file is truncated or damaged.
  explicit ZipReader(const std::filesystem::path& path);
  ~ZipReader();

  [[nodiscard]] const std::unordered_map<std::string, Record>& records() const { return records_; }
  [[nodiscard]] std::uint64_t file_size() const;
  /// Record of this name, or null.
  [[nodiscard]] const Record* find(const std::string& name) const;
  /// Offset in the file of a stored record's bytes. Throws Error(bad_data) when they do not lie within it,
  /// are packed, or differ from their checksum (each call reads them through once).
  [[nodiscard]] std::uint64_t verified_data(const std::string& name, const Record& record) const;
  /// All bytes of a stored or deflated record. Throws as `verified_data` does. Also throws when a deflated
  /// record is larger than the directory says, or larger than 64 MiB and 200 times its packed bytes.
  [[nodiscard]] std::vector<std::byte> contents(const std::string& name, const Record& record) const;
  /// Reads bytes of the file; the range must lie within it.
  [[nodiscard]] std::vector<std::byte> read(std::uint64_t offset, std::size_t count) const;

 private:
  void add_record(std::span<const std::byte> entry, const std::string& name);
  [[nodiscard]] std::uint64_t locate(const std::string& name, const Record& record) const;
  void read_directory(std::uint64_t offset, std::uint64_t size);
  [[noreturn]] void fail(const std::string& name, std::string_view text) const;
  void check_crc(const std::string& name, const Record& record, std::uint32_t crc) const;
  void check_packing(const std::string& name, const Record& record) const;
  [[nodiscard]] std::vector<std::byte> inflated(const std::string& name, const Record& record) const;

  std::unique_ptr<InputFile> file_;
  std::unordered_map<std::string, Record> records_;
};

}  // namespace polyhead::checkpoint
