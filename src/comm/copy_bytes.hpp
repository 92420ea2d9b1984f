#pragma once

#include <cstddef>
#include <cstring>
#include <span>

namespace polyhead::comm {

/// Copies `from` to the beginning of `to`, as a whole; std::ranges::copy goes byte by byte in builds that do
/// not optimise. Returns the rest of `to`.
inline std::span<std::byte> copy_bytes(std::span<const std::byte> from, std::span<std::byte> to) {
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
  return to.subspan(from.size());
}

}  // namespace polyhead::comm
