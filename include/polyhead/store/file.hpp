#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "polyhead/base/error.hpp"

namespace polyhead::store {

/// Another process has deleted, replaced or cut the file while it was written: nothing of it is kept.
class FileGone : public Error {
 public:
  explicit FileGone(const std::string& message) : Error(ExitCode::io_error, message) {}
};

/// The calls through which the result file is written once its layout exists. An interface, so that tests can
/// record and replay what reaches the disk.
class File {
 public:
  virtual ~File() = default;
  /// Writes all bytes at `offset`. Throws Error(io_error) with the system's reason.
  virtual void write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  /// Returns when all earlier writes are on the disk (fdatasync). Throws Error(io_error); after that nothing
  /// written since the last success counts as written, and the call is never tried again.
  virtual void sync() = 0;
};

/// Opens an existing file for writing. Its calls also throw FileGone.
std::unique_ptr<File> open_for_writing(const std::filesystem::path& path);

}  // namespace polyhead::store
