#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace polyhead::store {

/// The three calls that the result file is written through once its layout exists. An interface, so that
/// tests can record and replay what reaches the disk.
class File {
 public:
  virtual ~File() = default;
  /// Writes all bytes at `offset`. Throws Error(io_error) with the system's reason.
  virtual void write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  /// Returns when all earlier writes are on the disk (fdatasync). Throws Error(io_error); after that nothing
  /// written since the last success counts as written, and the call is never tried again.
  virtual void sync() = 0;
};

/// The real thing. Opens an existing file for writing.
std::unique_ptr<File> open_for_writing(const std::filesystem::path& path);

}  // namespace polyhead::store
