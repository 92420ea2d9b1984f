#pragma once

#include <array>
#include <cstdint>

#include "bit_reader.hpp"
#include "huffman_table.hpp"
#include "step_table.hpp"

namespace polyhead::data {

inline constexpr unsigned kLastPlace = 63;

/// Where the coefficients of a file's order lie in a block (ITU-T T.81, Figure A.6).
inline constexpr std::array<std::uint8_t, 64> kZigzag{
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

enum class Progress { invalid, within, done };

/// Reads a DC coefficient as the difference to the one before. False where it is not valid.
inline bool read_dc(BitReader& in, const HuffmanTable& symbols, std::int16_t& difference) {
  in.refill();
  const HuffmanSymbol found = symbols.find(in.peek(16));
  in.drop(found.length);
  difference = value_of(in.bits(), found.symbol);
  in.drop(found.symbol);
  return found.length != 0;
}

/// Reads an AC coefficient whose code may have any length. `place` is that of the one before, and becomes its
/// own.
template <bool kKeep>
[[gnu::noinline]] Progress read_ac(BitReader& in, const HuffmanTable& symbols, std::int16_t* block,
                                   unsigned& place) {
  in.refill();
  const HuffmanSymbol found = symbols.find(in.peek(16));
  if (found.length == 0) return Progress::invalid;
  in.drop(found.length);
  if (found.ends_block()) return Progress::done;
  place += found.run() + 1;
  if (place > kLastPlace) return Progress::invalid;
  if (kKeep) block[kZigzag[place]] = value_of(in.bits(), found.size());
  in.drop(found.size());
  return place == kLastPlace ? Progress::done : Progress::within;
}

/// Reads the AC coefficients of a block, which are zero so far. Without kKeep they are only passed over.
/// False where they are not valid.
template <bool kKeep>
[[gnu::always_inline]] inline bool read_block(BitReader& in, const StepTable& table, std::int16_t* block) {
  unsigned place = 0;
  for (;;) {
    in.refill();
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {  // for which a refill suffices
      const Step& step = table.steps[in.peek(kStepBits)];
      const unsigned reached = place + step.last_place;
      if (reached >= kLastPlace) [[unlikely]] {
        const Progress progress = read_ac<kKeep>(in, table.symbols, block, place);
        if (progress != Progress::within) return progress == Progress::done;
        break;
      }
      if (kKeep) {
        block[kZigzag[place + step.first_place]] = step.first_value;
        block[kZigzag[reached]] = step.last_value(in.bits());
      }
      in.drop(step.length);
      if (step.ends) return true;
      place = reached;
    }
  }
}

}  // namespace polyhead::data
