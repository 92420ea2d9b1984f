#pragma once

#include "table.hpp"
#include "unroll.hpp"

/// Product of transformed tiles and weights, in strips of as many tiles as registers hold sums for.
namespace polyhead::kernels {

/// Adds one channel: its value in each of kRows rows, which are `stride` apart, times two vectors.
template <class Vec, int kRows>
[[gnu::always_inline]] inline void add_channel(const float* rows, std::ptrdiff_t stride, const float* vectors,
                                               typename Vec::V (&sums)[kRows][2]) {
  const typename Vec::V left = Vec::load(vectors);
  const typename Vec::V right = Vec::load(vectors + Vec::kWidth);
  unroll<kRows>([&](auto row) __attribute__((always_inline)) {
    const typename Vec::V value = Vec::repeat(rows + row * stride);
    sums[row][0] = Vec::multiply_add(value, left, sums[row][0]);
    sums[row][1] = Vec::multiply_add(value, right, sums[row][1]);
  });
}

/// Computes kRows tiles from `first` on. Each sum runs over the channels one by one, so neither a tile's
/// place nor the width of vectors changes its bits. Fetches `lines` of `next` per block of channels.
template <class Vec, int kRows>
[[gnu::noinline]] void strip(const Gemm& gemm, int first, const float* next, int lines) {
  typename Vec::V sums[kRows][2] = {};
  const float* tiles = gemm.tiles + first * Vec::kWidth;
  const float* weights = gemm.weights;
  for (int left = gemm.channels; left > 0; left -= Vec::kWidth, tiles += gemm.block) {
    for (int line = 0; line < lines; ++line, next += kLine) Vec::prefetch(next);
    const int channels = left < Vec::kWidth ? left : Vec::kWidth;
    for (int c = 0; c < channels; ++c, weights += 2 * Vec::kWidth) {
      add_channel<Vec, kRows>(tiles + c, Vec::kWidth, weights, sums);
    }
  }
  float* to = gemm.sums + first * Vec::kWidth;
  unroll<kRows>([&](auto row) __attribute__((always_inline)) {
    Vec::store(to + row * Vec::kWidth, sums[row][0]);
    Vec::store(to + gemm.block + row * Vec::kWidth, sums[row][1]);
  });
}

/// Multiplies, and prefetches the weights of the next product while weights are read from the caches, for the
/// second and later strips. The prefetches are divided over the strips. With one strip they would be in the
/// way: batches of one were a fifth slower.
template <class Vec>
void multiply(const Gemm& gemm) {
  constexpr int kLines = 2 * Vec::kWidth * Vec::kWidth / kLine;  // lines of weights per block of channels
  const int strips = (gemm.count + Vec::kRows - 1) / Vec::kRows;
  const int lines = strips > 1 ? (kLines + strips - 1) / strips : 0;
  const float* next = gemm.weights + std::ptrdiff_t{gemm.channels} * 2 * Vec::kWidth;
  in_strips<Vec::kRows>(
      gemm.count, [&](auto rows, int first) __attribute__((always_inline)) {
        strip<Vec, rows>(gemm, first, next, lines);
        next += gemm.channels / Vec::kWidth * lines * kLine;
      });
}

}  // namespace polyhead::kernels
