#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "huffman_table.hpp"

namespace polyhead::data {

/// Bits by which steps are looked up. More of them find more at once; the tables of two codes still fit into
/// a first-level cache.
inline constexpr unsigned kStepBits = 11;

/// What the next bits of a block say: one or two AC coefficients, and the block's end where it follows. All
/// codes lie in the next kStepBits, the last value may go on behind.
struct Step {
  /// A place that no block has: the next code is too long, or there is none.
  static constexpr std::uint8_t kNone = 64;

  std::uint8_t length = 0;  ///< bits that the step takes
  // Where there is one coefficient, it is the last, and the first is a zero in its place.
  std::uint8_t first_place = 0;  ///< counted from the coefficient before the step
  std::int8_t first_value = 0;
  std::uint8_t last_place = kNone;
  std::uint8_t until = 0;     ///< where the last value's bits end
  std::uint8_t size : 7 = 0;  ///< how many they are
  bool ends : 1 = false;      ///< the block ends
  std::int16_t bias = 0;      ///< what makes the bits the value

  /// The last value, with the step's bits before one.
  [[nodiscard]] std::int16_t last_value(std::uint64_t bits) const;
};

/// Steps of the AC coefficients that have one code (ITU-T T.81, F.2.2.2).
struct StepTable {
  HuffmanTable symbols;
  std::array<Step, 1U << kStepBits> steps;
  void build(const HuffmanCode& code);
};

inline std::int16_t Step::last_value(std::uint64_t bits) const {
  const auto raw = static_cast<std::uint32_t>(std::rotl(bits, until)) & ((1U << size) - 1);
  return static_cast<std::int16_t>(static_cast<std::int32_t>(raw) + bias);
}

}  // namespace polyhead::data
