#pragma once

#include <array>
#include <cstdint>

namespace polyhead::image {

/// A Huffman code as a JPEG file defines it (ITU-T T.81, B.2.4.2).
struct HuffmanCode {
  std::array<std::uint8_t, 17> counts{};    ///< number of codes per length; [0] means nothing
  std::array<std::uint8_t, 256> symbols{};  ///< symbols by rising code
  bool operator==(const HuffmanCode&) const = default;
};

/// A symbol and the length of its code; length 0 where no code fits.
struct HuffmanSymbol {
  std::uint8_t length = 0;
  std::uint8_t symbol = 0;

  /// Number of zeros before an AC coefficient, and bits of its value (T.81, F.1.2.2).
  [[nodiscard]] unsigned run() const { return symbol >> 4U; }
  [[nodiscard]] unsigned size() const { return symbol & 15U; }
  /// Whether all coefficients that follow are zeros. A run of 15 with size 0 is one of 16 zeros.
  [[nodiscard]] bool ends_block() const { return size() == 0 && run() != 15; }
};

/// Finds symbols by the bits that follow.
class HuffmanTable {
 public:
  /// `code` must be valid: no more codes than their length allows.
  void build(const HuffmanCode& code);
  /// Symbol with which the next 16 bits begin.
  [[nodiscard]] HuffmanSymbol find(std::uint32_t bits) const {
    const HuffmanSymbol found = short_[bits >> (16 - kShort)];
    return found.length != 0 ? found : find_long(bits);
  }

 private:
  [[nodiscard]] HuffmanSymbol find_long(std::uint32_t bits) const;

  /// Longest code that is looked up: all frequent codes are.
  static constexpr unsigned kShort = 10;
  std::array<HuffmanSymbol, 1U << kShort> short_{};
  std::array<std::uint32_t, 17> above_{};  ///< lowest 16 bits with which no code up to this length begins
  std::array<std::int32_t, 17> offset_{};  ///< offset from a code of this length to its index in symbols_
  std::array<std::uint8_t, 256> symbols_{};
};

/// Value that the first `size` of `bits` (at most 15) encode. Half of the values are negative: those with the
/// first bit zero (T.81, F.2.2.1, EXTEND). No branch, since the processor could only guess.
inline std::int16_t value_of(std::uint64_t bits, unsigned size) {
  const std::uint64_t magnitude = bits >> 1U >> (63 - size);
  const auto negative = static_cast<std::uint64_t>(static_cast<std::int64_t>(~bits) >> 63U);
  return static_cast<std::int16_t>(magnitude + (negative & ((~std::uint64_t{0} << size) + 1)));
}

}  // namespace polyhead::image
