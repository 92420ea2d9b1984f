#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "polyhead/base/file_descriptor.hpp"

namespace polyhead::checkpoint {

/// A file open for reading at any offset.
class InputFile {
 public:
  /// Throws Error(no_input) when it is missing, may not be read or is not a regular file.
  explicit InputFile(std::filesystem::path path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Fills `out` from `offset`. Throws Error(io_error); the caller has checked the range against `size`.
  void read(std::uint64_t offset, std::span<std::byte> out) const;
  [[nodiscard]] std::vector<std::byte> read(std::uint64_t offset, std::size_t count) const;

 private:
  std::filesystem::path path_;
  FileDescriptor fd_;
  std::uint64_t size_ = 0;
};

/// First bytes of a file, up to `count`, which tell its kind. Throws what InputFile throws.
std::string first_bytes(const std::filesystem::path& path, std::size_t count = 512);

}  // namespace polyhead::checkpoint
