#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace polyhead::fuzz {

/// Clears every checksum in a zip file's directory: 0 means that there is none. Without that, changes would
/// hardly ever get past them.
inline void clear_checksums(std::uint8_t* data, std::size_t size) {
  using namespace std::string_view_literals;
  constexpr std::string_view kCentral = "PK\x01\x02"sv;
  constexpr std::size_t kChecksum = 16;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  for (std::size_t at = file.find(kCentral); at != std::string_view::npos; at = file.find(kCentral, at + 1)) {
    if (at + kChecksum + sizeof(std::uint32_t) <= size)
      std::memset(data + at + kChecksum, 0, sizeof(std::uint32_t));
  }
}

}  // namespace polyhead::fuzz
