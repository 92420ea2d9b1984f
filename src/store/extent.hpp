#pragma once

#include <cstdint>

namespace polyhead::store {

/// A run of bytes of a file.
struct Extent {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  [[nodiscard]] std::uint64_t end() const { return first + count; }
  friend bool operator==(const Extent&, const Extent&) = default;
};

/// Largest page of the systems this runs on (arm64 and POWER have 64 KiB). Clients of a shared file system
/// may read, cache and write back whole pages.
inline constexpr std::uint64_t kPage = 65536;

/// Pages that hold only bytes of the extent; none: count 0, first as given. Neighbours in the same file find
/// other pages, so each page has one writer without any agreement.
Extent own_pages(const Extent& extent);

}  // namespace polyhead::store
