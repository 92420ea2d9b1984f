#pragma once

#include <algorithm>
#include <span>

#include "algorithm.hpp"
#include "polyhead/kernels/buffer.hpp"

namespace polyhead::kernels {

/// Transformed weights, G g G^T, in the order in which the product reads them: [slot][chunk of channels in]
/// [panel of two vectors of channels out][channel in][channel out].
class Weights {
 public:
  static constexpr int kChunk = 256;  ///< channels in: a strip of tiles then stays in the first-level cache

  /// `weight`: [out][in][taps][taps]; `panel`: channels out in a panel.
  Weights(Scheme scheme, int in, int out, int panel, std::span<const float> weight);

  [[nodiscard]] int chunks() const { return (in_ + kChunk - 1) / kChunk; }
  [[nodiscard]] int chunk_size(int chunk) const { return std::min(kChunk, in_ - chunk * kChunk); }
  [[nodiscard]] int panels() const { return panels_; }
  [[nodiscard]] std::ptrdiff_t at(int slot, int chunk, int panel) const {
    const std::ptrdiff_t channels = std::ptrdiff_t{slot} * in_ + chunk * kChunk;
    return (channels * panels_ + std::ptrdiff_t{panel} * chunk_size(chunk)) * panel_;
  }
  [[nodiscard]] const float* data() const { return buffer_.data(); }

 private:
  int in_;
  int panel_;
  int panels_;
  Buffer buffer_;
};

}  // namespace polyhead::kernels
