#include "huffman_table.hpp"

#include <algorithm>

namespace polyhead::image {

void HuffmanTable::build(const HuffmanCode& code) {
  short_.fill({});
  symbols_ = code.symbols;
  std::uint32_t next = 0;  // codes of one length are numbered on (T.81, C.2)
  std::size_t index = 0;
  for (unsigned length = 1; length <= 16; ++length, next <<= 1U) {
    offset_[length] = static_cast<std::int32_t>(index) - static_cast<std::int32_t>(next);
    for (unsigned i = 0; i < code.counts[length]; ++i, ++next, ++index) {
      if (length > kShort) continue;
      const unsigned free = kShort - length;
      std::fill_n(short_.begin() + (next << free), 1U << free,
                  HuffmanSymbol{static_cast<std::uint8_t>(length), code.symbols[index]});
    }
    above_[length] = next << (16 - length);
  }
}

HuffmanSymbol HuffmanTable::find_long(std::uint32_t bits) const {
  for (unsigned length = kShort + 1; length <= 16; ++length) {
    if (bits >= above_[length]) continue;
    const auto index = static_cast<std::int32_t>(bits >> (16 - length)) + offset_[length];
    return {static_cast<std::uint8_t>(length), symbols_[static_cast<std::size_t>(index)]};
  }
  return {};
}

}  // namespace polyhead::image
