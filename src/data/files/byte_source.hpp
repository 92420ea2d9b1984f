#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "polyhead/base/file_descriptor.hpp"
#include "stamp.hpp"

namespace polyhead::data {

/// Bytes that are read at any offset.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// The range lies within the size. Throws Error(io_error).
  virtual void read(std::uint64_t offset, std::span<std::byte> out) const = 0;
};

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::byte> bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
  }

 private:
  std::span<const std::byte> bytes_;
};

class FileSource : public ByteSource {
 public:
  /// Throws Error(no_input) when it is missing, may not be read or is not a regular file.
  explicit FileSource(std::string path);
  [[nodiscard]] std::uint64_t size() const override { return stamp_.size; }
  [[nodiscard]] Stamp stamp() const { return stamp_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  /// Announces short reads that are far apart: the system should not read on after each.
  void expect_jumps() const;

 private:
  std::string path_;
  FileDescriptor fd_;
  Stamp stamp_;
};

}  // namespace polyhead::data
