#pragma once

#include <cstdint>
#include <filesystem>

#include "polyhead/base/file_descriptor.hpp"
#include "polyhead/store/file.hpp"

namespace polyhead::store {

/// An existing regular file, written with pwrite.
class PosixFile final : public File {
 public:
  explicit PosixFile(const std::filesystem::path& path);
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override;
  void sync() override;
  /// Syncs content and metadata to the disk (fsync).
  void sync_all();
  /// Takes the disk space for the file's present length (fallocate); does nothing where the file system
  /// cannot. Throws Error(io_error), for instance when the disk is too small.
  void reserve();

 private:
  void check_still_there();

  std::filesystem::path path_;
  FileDescriptor file_;
  std::int64_t size_ = 0;  ///< least size that it may have
};

}  // namespace polyhead::store
