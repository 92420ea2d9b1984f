#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace polyhead {

/// 128-bit digest (XXH3, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md). It distinguishes
/// inputs and detects corruption; it does not withstand an attacker.
struct Digest {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  // NOLINTNEXTLINE(modernize-use-nullptr): it takes the 0 of a comparison for a pointer
  friend auto operator<=>(const Digest&, const Digest&) = default;
  /// 32 lower-case hexadecimal digits, as `xxh128sum` prints them.
  [[nodiscard]] std::string hex() const;
};

/// Computes a `Digest` piece by piece.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  Hasher& update(std::span<const std::byte> bytes);
  /// Adds the text with its length before it, so that ("ab", "c") and ("a", "bc") differ.
  Hasher& update(std::string_view text);
  /// Adds eight little-endian bytes.
  Hasher& update(std::int64_t number);
  [[nodiscard]] Digest digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace polyhead
