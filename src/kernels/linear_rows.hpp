#pragma once

#include "gemm.hpp"

/// Rows of a linear layer's weights times a panel of samples, in strips of as many rows as registers hold
/// sums for. Weights are read as they are stored, once per panel.
namespace polyhead::kernels {

template <class Vec, int kRows>
[[gnu::noinline]] void linear_strip(const LinearCall& call, int first, int panel) {
  constexpr std::ptrdiff_t kPanel = 2 * Vec::kWidth;
  constexpr int kUnroll = 4;
  typename Vec::V sums[kRows][2] = {};
  const float* weights = call.weight + std::ptrdiff_t{first} * call.in;
  const float* x = call.x + panel * kPanel * call.in;
  int left = call.in;
  for (; left >= kLine; left -= kLine, weights += kLine, x += kLine * kPanel) {
    unroll<kRows>([&](auto row) __attribute__((always_inline)) {  // prefetches the next strip
      Vec::prefetch(weights + (kRows + row) * std::ptrdiff_t{call.in});
    });
    for (int c = 0; c < kLine; c += kUnroll) {
      unroll<kUnroll>([&](auto k) __attribute__((always_inline)) {
        add_channel<Vec, kRows>(weights + c + k, call.in, x + (c + k) * kPanel, sums);
      });
    }
  }
  for (; left > 0; --left, ++weights, x += kPanel) add_channel<Vec, kRows>(weights, call.in, x, sums);
  float* y = call.y + (std::ptrdiff_t{panel} * call.out + first) * kPanel;
  unroll<2 * kRows>([&](auto half) __attribute__((always_inline)) {
    typename Vec::V sum = sums[half / 2][half % 2] + Vec::repeat(call.bias + first + half / 2);
    if (call.relu) sum = Vec::at_least(Vec::zero(), sum);
    Vec::store(y + half * Vec::kWidth, sum);
  });
}

template <class Vec>
void linear_rows(const LinearCall& call, int first, int count, int panel) {
  in_strips<Vec::kRows>(
      count, [&](auto rows, int row)
                 __attribute__((always_inline)) { linear_strip<Vec, rows>(call, first + row, panel); });
}

}  // namespace polyhead::kernels
