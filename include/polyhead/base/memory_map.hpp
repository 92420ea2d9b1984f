#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include <sys/mman.h>

namespace polyhead {

/// Owns a mapping of a file into memory.
class MemoryMap {
 public:
  MemoryMap() = default;
  /// Takes ownership of a mapping made by `mmap`.
  explicit MemoryMap(std::span<std::byte> bytes) noexcept : bytes_(bytes) {}
  MemoryMap(MemoryMap&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  MemoryMap& operator=(MemoryMap&& other) noexcept {
    if (this != &other) reset(std::exchange(other.bytes_, {}));
    return *this;
  }
  MemoryMap(const MemoryMap&) = delete;
  MemoryMap& operator=(const MemoryMap&) = delete;
  ~MemoryMap() { reset(); }

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  void reset(std::span<std::byte> bytes = {}) noexcept {
    if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
    bytes_ = bytes;
  }

 private:
  std::span<std::byte> bytes_;
};

}  // namespace polyhead
