#include "fixed_filter.hpp"

#include <algorithm>

namespace polyhead::image {
namespace {

constexpr std::int32_t kLowMask = (1 << TapPair::kLowBits) - 1;

std::int32_t packed(std::int32_t first, std::int32_t second) {
  return static_cast<std::int32_t>((static_cast<std::uint32_t>(first) & 0xFFFFU) |
                                   (static_cast<std::uint32_t>(second) << 16U));
}

TapPair pair_of(std::int32_t first, std::int32_t second) {
  return {packed(first & kLowMask, second & kLowMask),
          packed(first >> TapPair::kLowBits, second >> TapPair::kLowBits)};
}

}  // namespace

/// Weight of a source position, counted from the first that the window needs.
std::int32_t FixedFilter::weight(std::size_t index, std::size_t source) const {
  const std::span weights = taps_.weights(index);
  const std::size_t tap = source - offset(index);  // wraps around before the first
  return tap < weights.size() ? weights[tap] : 0;
}

void FixedFilter::add_pairs(std::size_t index) {
  for (std::size_t tap = 0; tap < 4 * groups_; tap += 2) {
    const std::size_t source = offset(index) + tap;
    pairs_.push_back(pair_of(weight(index, source), weight(index, source + 1)));
  }
}

void FixedFilter::add_blocks(std::size_t index) {
  for (std::size_t group = 0; group < groups_; ++group) {
    TapBlock& block = blocks_.emplace_back();
    for (std::size_t i = 0; i < block.pairs[0].low.size(); ++i) {
      const std::size_t position = std::min(index + i / 4, size() - 1);
      for (std::size_t pair = 0; pair < 2; ++pair) {
        const std::size_t source = block_offsets_[position] + 4 * group + 2 * pair;
        const TapPair weights = pair_of(weight(position, source), weight(position, source + 1));
        block.pairs[pair].low[i] = weights.low;
        block.pairs[pair].high[i] = weights.high;
      }
    }
  }
}

void FixedFilter::rebuild(int from, int to, Range window, config::Interpolation interpolation,
                          std::optional<double> extent) {
  taps_.rebuild(from, to, window, interpolation, extent);
  pairs_.clear();
  blocks_.clear();
  block_offsets_.clear();
  groups_ = 0;
  for (std::size_t i = 0; i < size(); ++i) groups_ = std::max(groups_, (taps_.weights(i).size() + 3) / 4);
  const auto sources_count = static_cast<std::size_t>(sources().count);
  const std::size_t last = sources_count - std::min(sources_count, 4 * groups_);
  for (std::size_t i = 0; i < size(); ++i) block_offsets_.push_back(std::min(offset(i), last));
  while (block_offsets_.size() % TapBlock::kPositions != 0) block_offsets_.push_back(block_offsets_.back());
  for (std::size_t i = 0; i < size(); ++i) add_pairs(i);
  for (std::size_t i = 0; i < block_offsets_.size(); i += TapBlock::kPositions) add_blocks(i);
}

}  // namespace polyhead::image
