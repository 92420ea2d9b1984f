#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "polyhead/base/file_descriptor.hpp"
#include "polyhead/base/memory_map.hpp"

namespace polyhead {

/// Memory that one process writes once and all of a host can read (memfd_create). It has no name, so nothing
/// is left behind, whoever is killed: it goes with the last process that has it. /dev/shm, which containers
/// keep small, does not limit it. It is sealed: nobody can write to it or cut it off.
class SealedMemory {
 public:
  /// What another process of the host needs to find it.
  struct Ticket {
    std::int32_t process = 0;
    std::int32_t descriptor = -1;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t bytes = 0;
  };

  /// Has `fill` write it. Throws Error(unavailable) where the system refuses, and what `fill` throws.
  SealedMemory(std::size_t bytes, const std::function<void(std::span<std::byte>)>& fill);
  /// That of another process, which must not have called `close`. Throws Error(unavailable) where it cannot
  /// be reached or is not what the ticket says, as between containers that have one host name.
  explicit SealedMemory(const Ticket& ticket);

  [[nodiscard]] std::span<const std::byte> bytes() const { return map_.bytes(); }
  [[nodiscard]] Ticket ticket() const;
  /// From now on no other process can find it; those that have it keep it.
  void close() { file_.reset(); }

 private:
  void map(std::size_t bytes, int protection);

  FileDescriptor file_;
  MemoryMap map_;
};

}  // namespace polyhead
