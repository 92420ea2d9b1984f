#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "polyhead/image/axis_filter.hpp"

namespace polyhead::image {

/// Two neighbouring weights in the form in which vector code multiplies. A weight has more than 16 bits, a
/// factor of a fast product has not. So it is split: weight = high x 2^15 + low. Each number here holds the
/// 16-bit halves of both weights, the first weight's in the low half.
struct TapPair {
  static constexpr int kLowBits = 15;
  std::int32_t low = 0;
  std::int32_t high = 0;
};

/// Four weights for each of four positions: pairs 0 and 1. Elements 0 to 3 are the first position's, one per
/// channel of a pixel, 4 to 7 the second's, and so on.
struct alignas(64) TapBlock {
  static constexpr std::size_t kPositions = 4;
  struct Pair {
    std::array<std::int32_t, 4 * kPositions> low{};
    std::array<std::int32_t, 4 * kPositions> high{};
  };
  std::array<Pair, 2> pairs;
};

/// A fixed-point AxisFilter that also has its weights in vector code's form. Missing weights are zero.
class FixedFilter {
 public:
  void rebuild(int from, int to, Range window, config::Interpolation interpolation,
               std::optional<double> extent);

  [[nodiscard]] const AxisFilter<std::int32_t>& taps() const { return taps_; }
  [[nodiscard]] Range sources() const { return taps_.sources(); }
  [[nodiscard]] std::size_t size() const { return taps_.size(); }
  /// First source position of a position, counted from the first that the window needs.
  [[nodiscard]] std::size_t offset(std::size_t index) const {
    return static_cast<std::size_t>(taps_.first(index) - sources().first);
  }
  /// The pairs of a position's weights.
  [[nodiscard]] std::span<const TapPair> pairs(std::size_t index) const {
    return std::span(pairs_).subspan(index * 2 * groups_, 2 * groups_);
  }
  /// Groups of four weights per position in a block.
  [[nodiscard]] std::size_t groups() const { return groups_; }
  /// Groups of position `index` and the next ones; `index` must be a multiple of TapBlock::kPositions. Behind
  /// the end the last position is repeated.
  [[nodiscard]] const TapBlock* blocks(std::size_t index) const {
    return &blocks_[index / TapBlock::kPositions * groups_];
  }
  /// Start of a position's groups: its `offset`, or an earlier position, so that they end with the sources if
  /// they are not longer.
  [[nodiscard]] std::size_t block_offset(std::size_t index) const { return block_offsets_[index]; }

 private:
  void add_pairs(std::size_t index);
  void add_blocks(std::size_t index);
  [[nodiscard]] std::int32_t weight(std::size_t index, std::size_t source) const;

  AxisFilter<std::int32_t> taps_;
  std::vector<TapPair> pairs_;
  std::vector<TapBlock> blocks_;
  std::vector<std::size_t> block_offsets_;
  std::size_t groups_ = 0;
};

}  // namespace polyhead::image
