#include "step_table.hpp"

namespace polyhead::image {
namespace {

/// Most bits of a value that fits into Step::first_value.
constexpr unsigned kFirstSize = 7;

/// Makes the last coefficient the first, and appends another. False where it does not fit.
bool append(Step& step, std::uint64_t bits, HuffmanSymbol next) {
  const bool is_first = step.last_place == Step::kNone;
  const unsigned place = (is_first ? 0 : step.last_place) + next.run() + 1;
  const unsigned begin = step.length + next.length;
  const bool sign_known = next.size() == 0 || begin < kStepBits;
  if (!sign_known || step.size > kFirstSize || begin + next.size() > kMaxStep) return false;
  step.first_place = static_cast<std::uint8_t>(is_first ? place : step.last_place);
  step.first_value = static_cast<std::int8_t>(is_first ? 0 : step.last_value(bits));
  step.last_place = static_cast<std::uint8_t>(place);
  step.size = static_cast<std::uint8_t>(next.size());
  step.length = static_cast<std::uint8_t>(begin + next.size());
  step.behind = static_cast<std::uint8_t>((64 - step.length) % 64);
  const bool negative = next.size() > 0 && (bits << begin >> 63U) == 0;
  step.bias = static_cast<std::int16_t>(negative ? 1 - (1 << next.size()) : 0);
  return true;
}

void append_end(Step& step, unsigned length) {
  // An end alone sets the next coefficient to zero, which it is.
  if (step.last_place == Step::kNone) step.first_place = step.last_place = 1;
  step.length = static_cast<std::uint8_t>(step.length + length);
  step.last_place += Step::kEnds;
}

/// Step with which `bits` begin; the highest kStepBits are known.
Step step_of(const HuffmanTable& symbols, std::uint64_t bits) {
  Step step;
  for (int coefficients = 0; step.length < kStepBits; ++coefficients) {
    const HuffmanSymbol next = symbols.find(static_cast<std::uint32_t>(bits << step.length >> 48U));
    if (next.length == 0 || step.length + next.length > kStepBits) break;
    if (next.ends_block()) {
      append_end(step, next.length);
      break;
    }
    if (coefficients == 2 || !append(step, bits, next)) break;
  }
  return step;
}

/// Skip with which `bits` begin. Values need not be known, so more coefficients fit than in a step.
Skip skip_of(const HuffmanTable& symbols, std::uint64_t bits) {
  Skip skip;
  unsigned place = 0;
  while (skip.length < kStepBits) {
    const HuffmanSymbol next = symbols.find(static_cast<std::uint32_t>(bits << skip.length >> 48U));
    const bool ends = next.ends_block();
    if (!ends) place += next.run() + 1;
    const unsigned length = skip.length + next.length + (ends ? 0 : next.size());
    if (next.length == 0 || skip.length + next.length > kStepBits || length > kMaxStep) break;
    if (place >= Step::kNone) break;
    skip.length = static_cast<std::uint8_t>(length);
    skip.last_place = static_cast<std::uint8_t>(ends ? place + Step::kEnds : place);
    if (ends) break;
  }
  return skip;
}

}  // namespace

void StepTable::build(const HuffmanCode& code) {
  symbols.build(code);
  for (std::uint64_t bits = 0; bits < steps.size(); ++bits) {
    steps[bits] = step_of(symbols, bits << (64 - kStepBits));
    skips[bits] = skip_of(symbols, bits << (64 - kStepBits));
  }
}

}  // namespace polyhead::image
