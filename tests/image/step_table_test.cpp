#include "image/jpeg/step_table.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace polyhead::image {
namespace {

/// A code with random lengths and symbols, complete but for the codes of ones only, which JPEG forbids.
HuffmanCode random_code(std::minstd_rand& random) {
  HuffmanCode code;
  std::vector<std::uint8_t> symbols(256);
  for (std::size_t i = 0; i < symbols.size(); ++i) symbols[i] = static_cast<std::uint8_t>(i);
  std::shuffle(symbols.begin(), symbols.end(), random);
  unsigned used = 0;
  unsigned free = 1;  // codes of the length before that are no symbol's
  for (unsigned length = 1; length <= 16; ++length) {
    free = std::min(2 * free, 1000U);
    const unsigned count = std::min({free - 1, 256 - used, static_cast<unsigned>(random() % (length + 1))});
    code.counts[length] = static_cast<std::uint8_t>(count);
    used += count;
    free -= count;
  }
  std::copy(symbols.begin(), symbols.end(), code.symbols.begin());
  return code;
}

/// By the letter of ITU-T T.81, bit by bit.
class SlowReader {
 public:
  SlowReader(const HuffmanCode& code, std::uint64_t bits) : code_(code), bits_(bits) {}

  /// -1 where no code fits.
  int symbol() {
    std::uint32_t value = 0;
    std::uint32_t first = 0;
    std::size_t index = 0;
    for (unsigned length = 1; length <= 16; ++length) {
      value = 2 * value + take(1);
      if (value - first < code_.counts[length]) return code_.symbols[index + value - first];
      index += code_.counts[length];
      first = 2 * (first + code_.counts[length]);
    }
    return -1;
  }
  int value(unsigned size) {
    if (size == 0) return 0;
    const auto raw = static_cast<int>(take(size));
    return raw < 1 << (size - 1) ? raw - (1 << size) + 1 : raw;
  }
  [[nodiscard]] unsigned taken() const { return taken_; }

 private:
  std::uint32_t take(unsigned count) {
    const auto value = static_cast<std::uint32_t>(bits_ >> (64 - count));
    bits_ <<= count;
    taken_ += count;
    return value;
  }

  const HuffmanCode& code_;
  std::uint64_t bits_;
  unsigned taken_ = 0;
};

/// Coefficients that are not zero, by their place.
using Coefficients = std::map<unsigned, int>;

/// What the AC codes say that begin within the first bits, up to the block's end.
struct Slowly {
  Coefficients coefficients;
  unsigned place = 0;  ///< of the last coefficient
  bool ends = false;   ///< the block
  unsigned taken = 0;  ///< bits
};

void read_slowly(const HuffmanCode& code, std::uint64_t bits, unsigned length, Slowly& read) {
  SlowReader slow(code, bits);
  while (slow.taken() < length) {
    const int symbol = slow.symbol();
    ASSERT_GE(symbol, 0);
    const auto run = static_cast<unsigned>(symbol) / 16;
    const auto size = static_cast<unsigned>(symbol) % 16;
    read.ends = size == 0 && run != 15;
    if (read.ends) break;
    read.place += run + 1;
    if (const int value = slow.value(size); value != 0) read.coefficients[read.place] = value;
  }
  read.taken = slow.taken();
}

/// Reads as far as the step goes.
void expect_step(const HuffmanCode& code, const Step& step, std::uint64_t bits) {
  Slowly slow;
  ASSERT_NO_FATAL_FAILURE(read_slowly(code, bits, step.length, slow));
  ASSERT_EQ(slow.taken, step.length);
  ASSERT_LE(step.length, kMaxStep);
  ASSERT_EQ(step.last_place >= Step::kEnds, slow.ends);
  const unsigned last_place = step.last_place % Step::kEnds;
  Coefficients found;
  found[step.first_place] = int{step.first_value};  // signed, as a coefficient is
  found[last_place] = step.last_value(bits);
  std::erase_if(found, [](const auto& item) { return item.second == 0; });
  ASSERT_EQ(found, slow.coefficients);
  ASSERT_TRUE(slow.ends || last_place == slow.place);
}

/// Reads as far as the skip goes.
void expect_skip(const HuffmanCode& code, const Skip& skip, std::uint64_t bits) {
  Slowly slow;
  ASSERT_NO_FATAL_FAILURE(read_slowly(code, bits, skip.length, slow));
  ASSERT_EQ(slow.taken, skip.length);
  ASSERT_LE(skip.length, kMaxStep);
  ASSERT_EQ(skip.last_place, slow.ends ? slow.place + Step::kEnds : slow.place);
}

TEST(StepTable, SkipsPassOverWhatTheStandardReads) {
  std::minstd_rand random(13);
  StepTable table;
  std::size_t farther = 0;
  for (int codes = 0; codes < 300; ++codes) {
    const HuffmanCode code = random_code(random);
    table.build(code);
    for (std::uint64_t index = 0; index < table.skips.size(); ++index) {
      const std::uint64_t behind = std::uint64_t{random()} << 32U | random();
      const std::uint64_t bits = index << (64 - kStepBits) | behind >> kStepBits;
      const Skip& skip = table.skips[index];
      if (skip.last_place == Step::kNone) continue;
      farther += skip.length > table.steps[index].length ? 1U : 0U;
      expect_skip(code, skip, bits);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(farther, 20'000U);
}

TEST(StepTable, StepsAreWhatTheStandardReads) {
  std::minstd_rand random(11);
  StepTable table;
  std::size_t doubles = 0;
  std::size_t without = 0;
  for (int codes = 0; codes < 300; ++codes) {
    const HuffmanCode code = random_code(random);
    table.build(code);
    for (std::uint64_t index = 0; index < table.steps.size(); ++index) {
      const std::uint64_t behind = std::uint64_t{random()} << 32U | random();
      const std::uint64_t bits = index << (64 - kStepBits) | behind >> kStepBits;
      const Step& step = table.steps[index];
      if (step.last_place == Step::kNone) {
        ++without;
        continue;
      }
      doubles += step.first_place != step.last_place % Step::kEnds ? 1U : 0U;
      expect_step(code, step, bits);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(doubles, 20'000U);
  EXPECT_GT(without, 20'000U);
}

TEST(HuffmanTable, FindsWhatTheStandardReads) {
  std::minstd_rand random(12);
  HuffmanTable table;
  for (int codes = 0; codes < 20; ++codes) {
    const HuffmanCode code = random_code(random);
    table.build(code);
    for (std::uint32_t bits = 0; bits < 1U << 16U; ++bits) {
      SlowReader slow(code, std::uint64_t{bits} << 48U);
      const int expected = slow.symbol();
      const HuffmanSymbol found = table.find(bits);
      ASSERT_EQ(found.length, expected < 0 ? 0U : slow.taken());
      ASSERT_EQ(found.symbol, std::max(0, expected));
    }
  }
}

}  // namespace
}  // namespace polyhead::image
