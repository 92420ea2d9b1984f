#pragma once

#include <array>
#include <cstdint>

#include "huffman_table.hpp"

namespace polyhead::image {

/// Number of bits that index the steps. More bits find more at once; the tables of two codes still fit into a
/// first-level cache.
inline constexpr unsigned kStepBits = 11;

/// Most bits per step: three steps fit into what BitReader has ready.
inline constexpr unsigned kMaxStep = 18;

/// Content of the next bits of a block: one or two AC coefficients, and the block's end where it follows. All
/// codes lie in the next kStepBits; the last value may continue behind them.
struct Step {
  /// Position that no block has: the next code is too long, or there is none.
  static constexpr std::uint8_t kNone = 64;
  /// Addend to the last place where the block ends.
  static constexpr std::uint8_t kEnds = 128;

  std::uint8_t length = 0;  ///< bits that the step takes
  // A single coefficient is the last one; the first is then a zero in its place.
  std::uint8_t first_place = 0;  ///< counted from the coefficient before the step
  std::int8_t first_value = 0;
  std::uint8_t last_place = kNone;
  std::uint8_t behind = 0;  ///< bits of a word behind the last value, modulo 64
  std::uint8_t size = 0;    ///< bits of the last value
  std::int16_t bias = 0;    ///< addend that turns them into the value

  /// The last value; `bits` begin with the step.
  [[nodiscard]] std::int16_t last_value(std::uint64_t bits) const {
    const std::uint64_t raw = bits >> (behind & 63U) & ((std::uint64_t{1} << (size & 63U)) - 1);
    return static_cast<std::int16_t>(static_cast<std::int32_t>(raw) + bias);
  }
};

/// Number of the next bits of a block that can be skipped: any number of AC coefficients, and the block's
/// end.
struct Skip {
  std::uint8_t length = 0;                ///< see Step
  std::uint8_t last_place = Step::kNone;  ///< see Step
};

/// Steps of the AC coefficients that have one code (ITU-T T.81, F.2.2.2).
struct StepTable {
  HuffmanTable symbols;
  std::array<Step, 1U << kStepBits> steps;
  std::array<Skip, 1U << kStepBits> skips;
  void build(const HuffmanCode& code);
};

}  // namespace polyhead::image
