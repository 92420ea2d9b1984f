#pragma once

#include <random>
#include <string>

namespace polyhead::testing {

/// One random damage: a byte set, a bit flipped, a piece cut out, doubled or overwritten, the end cut off.
inline std::string mutate(std::string bytes, std::mt19937& random) {
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  const std::size_t at = below(bytes.size());
  const std::size_t length = 1 + below(8);
  switch (below(6)) {
    case 0:
      bytes[at] = static_cast<char>(below(256));
      break;
    case 1:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
      break;
    case 2:
      bytes.erase(at, length);
      break;
    case 3:
      bytes.insert(at, bytes.substr(below(bytes.size()), length));
      break;
    case 4:
      for (std::size_t i = at; i < std::min(at + length, bytes.size()); ++i) bytes[i] = '\xff';
      break;
    default:
      bytes.resize(at);
  }
  return bytes;
}

}  // namespace polyhead::testing
