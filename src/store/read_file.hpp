#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "polyhead/base/file_descriptor.hpp"

namespace polyhead::store {

/// A regular file, read with pread, and not through HDF5.
class ReadFile {
 public:
  /// Opens the file; a path that is no readable file has size 0.
  explicit ReadFile(const std::filesystem::path& path);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Reads all of `bytes` at `offset`. Throws Error(io_error), also past the end.
  void read(std::uint64_t offset, std::span<std::byte> bytes) const;

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
  int open_error_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace polyhead::store
