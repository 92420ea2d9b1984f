#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "bit_reader.hpp"
#include "huffman_table.hpp"
#include "step_table.hpp"

namespace polyhead::image {

inline constexpr unsigned kLastPlace = 63;

/// Position in a block of each coefficient in a file's order (ITU-T T.81, Figure A.6).
inline constexpr std::array<std::uint8_t, 64> kZigzag{
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

enum class BlockProgress { invalid, within, done };

/// Reads a DC coefficient as the difference to the previous one. False where it is invalid.
inline bool read_dc(BitReader& in, const HuffmanTable& symbols, std::int16_t& difference) {
  in.refill();
  const HuffmanSymbol found = symbols.find(in.peek(16));
  in.drop(found.length);
  difference = value_of(in.bits(), found.symbol);
  in.drop(found.symbol);
  return found.length != 0;
}

/// Reads an AC coefficient whose code may have any length. `place` is that of the previous coefficient, and
/// becomes the new one's.
template <bool kKeep>
[[gnu::noinline]] BlockProgress read_ac(BitReader& in, const HuffmanTable& symbols, std::int16_t* block,
                                        std::size_t& place) {
  in.refill();
  const HuffmanSymbol found = symbols.find(in.peek(16));
  if (found.length == 0) return BlockProgress::invalid;
  in.drop(found.length);
  if (found.ends_block()) return BlockProgress::done;
  place += found.run() + 1;
  if (place > kLastPlace) return BlockProgress::invalid;
  if (kKeep) block[kZigzag[place]] = value_of(in.bits(), found.size());
  in.drop(found.size());
  in.refill();
  return place == kLastPlace ? BlockProgress::done : BlockProgress::within;
}

template <bool kKeep>
const auto& next_step(const StepTable& table, std::uint32_t bits) {
  if constexpr (kKeep) {
    return table.steps[bits];
  } else {
    return table.skips[bits];
  }
}

/// Reads AC coefficients up to kMaxStep bits, which must be ready.
template <bool kKeep>
[[gnu::always_inline]] inline BlockProgress read_step(BitReader& in, const StepTable& table,
                                                      std::int16_t* block, std::size_t& place) {
  const auto& step = next_step<kKeep>(table, in.peek(kStepBits));
  const std::size_t reached = place + step.last_place;
  if (reached % Step::kEnds >= kLastPlace) [[unlikely]] {
    BitReader escaping = in;  // so that `in` stays in registers
    std::size_t reaching = place;
    const BlockProgress progress = read_ac<kKeep>(escaping, table.symbols, block, reaching);
    in = escaping;
    place = reaching;
    return progress;
  }
  if constexpr (kKeep) {
    block[kZigzag[place + step.first_place]] = std::int16_t{step.first_value};
    block[kZigzag[reached % Step::kEnds]] = step.last_value(in.bits());
  }
  in.drop(step.length);
  place = reached;
  return reached < Step::kEnds ? BlockProgress::within : BlockProgress::done;
}

/// Reads the AC coefficients of a block, which are zero so far. Without kKeep they are only skipped. False
/// where they are invalid.
template <bool kKeep>
[[gnu::always_inline]] inline bool read_block(BitReader& in, const StepTable& table, std::int16_t* block) {
  std::size_t place = 0;
  // The bits that read_dc leaves suffice for a step.
  BlockProgress progress = read_step<kKeep>(in, table, block, place);
  while (progress == BlockProgress::within) {
    in.refill();
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) {  // one refill suffices for three steps
      progress = read_step<kKeep>(in, table, block, place);
      if (progress != BlockProgress::within) break;
    }
  }
  return progress == BlockProgress::done;
}

}  // namespace polyhead::image
