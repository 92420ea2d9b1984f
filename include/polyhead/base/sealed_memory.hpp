#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "polyhead/base/file_descriptor.hpp"
#include "polyhead/base/memory_map.hpp"

namespace polyhead {

/// Memory that one process writes once and all processes of a host can read (memfd_create). It has no name
/// and goes with the last process that has it, so nothing is left behind after a kill. /dev/shm, which
/// containers keep small, does not limit it. Sealed: no process can write to it or truncate it.
class SealedMemory {
 public:
  /// Data with which another process of the host finds the memory.
  struct Ticket {
    std::int32_t process = 0;
    std::int32_t descriptor = -1;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t bytes = 0;
  };

  /// Creates the memory and lets `fill` write it. Throws Error(unavailable) where the system refuses, and
  /// what `fill` throws.
  SealedMemory(std::size_t bytes, const std::function<void(std::span<std::byte>)>& fill);
  /// Opens another process's memory; that process must not have called `close`. Throws Error(unavailable)
  /// where it cannot be reached or differs from the ticket, as between containers with equal host names.
  explicit SealedMemory(const Ticket& ticket);

  [[nodiscard]] std::span<const std::byte> bytes() const { return map_.bytes(); }
  [[nodiscard]] Ticket ticket() const;
  /// Closes the memory to further processes; those that have it keep it.
  void close() { file_.reset(); }

 private:
  void map(std::size_t bytes, int protection);

  FileDescriptor file_;
  MemoryMap map_;
};

}  // namespace polyhead
