#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "polyhead/base/file_descriptor.hpp"
#include "polyhead/base/memory_map.hpp"

namespace polyhead::data {

/// A new file that is filled from front to back and can be changed in memory meanwhile. Its pages belong to
/// the file, so its size is no burden on the process. Space is reserved before use, so a full disk is an
/// error and not a SIGBUS. The destructor removes the file unless `publish` was called.
class GrowingFile {
 public:
  /// Makes `target`.RANDOM, with the user's umask. Errors are Error(cant_create) and name `target`.
  explicit GrowingFile(std::filesystem::path target);
  ~GrowingFile();
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  void append(std::span<const std::byte> bytes);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Valid until the next `append`.
  [[nodiscard]] std::span<std::byte> bytes() const { return map_.bytes().first(size_); }
  /// Cuts the reserve off, waits until all is on disk, and gives the file its name.
  void publish();

 private:
  void reserve(std::uint64_t size);
  [[noreturn]] void fail(const char* doing, int error) const;

  std::filesystem::path target_;
  std::filesystem::path temporary_;
  FileDescriptor fd_;
  MemoryMap map_;
  std::uint64_t size_ = 0;
};

}  // namespace polyhead::data
