#pragma once

#include "gemm.hpp"

/// Rows of a linear layer's weights times a panel of samples, in strips of as many rows as registers hold
/// sums for. Weights are read as they are stored, each once a panel.
namespace polyhead::kernels {

template <class Vec, int kRows>
void linear_strip(const LinearRows& job, int first) {
  constexpr int kPanel = 2 * Vec::kWidth;
  constexpr int kUnroll = 4;
  typename Vec::V sums[kRows][2];
  unroll<kRows>([&](auto row) __attribute__((always_inline)) {
    sums[row][0] = Vec::zero();
    sums[row][1] = Vec::zero();
  });
  const float* weights = job.weights + std::ptrdiff_t{first} * job.in;
  const float* x = job.x;
  int left = job.in;
  for (; left >= kLine; left -= kLine, weights += kLine, x += kLine * kPanel) {
    unroll<kRows>([&](auto row) __attribute__((always_inline)) {  // of the next strip
      Vec::prefetch(weights + (kRows + row) * std::ptrdiff_t{job.in});
    });
    for (int c = 0; c < kLine; c += kUnroll) {
      unroll<kUnroll>([&](auto k) __attribute__((always_inline)) {
        add_channel<Vec, kRows>(weights + c + k, job.in, x + (c + k) * kPanel, sums);
      });
    }
  }
  for (; left > 0; --left, ++weights, x += kPanel) add_channel<Vec, kRows>(weights, job.in, x, sums);
  unroll<kRows>([&](auto row) __attribute__((always_inline)) {
    const typename Vec::V bias = Vec::repeat(job.bias + first + row);
    float* y = job.y + (first + row) * std::ptrdiff_t{kPanel};
    for (int half = 0; half < 2; ++half) {
      typename Vec::V sum = Vec::add(sums[row][half], bias);
      if (job.relu) sum = Vec::at_least(Vec::zero(), sum);
      Vec::store(y + half * Vec::kWidth, sum);
    }
  });
}

template <class Vec>
void linear_rows(const LinearRows& job) {
  using Strip = void (*)(const LinearRows&, int);
  struct Strips {
    Strip of[Vec::kRows + 1] = {};
    constexpr Strips() {
      unroll<Vec::kRows>([this](auto row) { of[row + 1] = linear_strip<Vec, row + 1>; });
    }
  };
  static constexpr Strips kStrips{};
  const int strips = (job.rows + Vec::kRows - 1) / Vec::kRows;
  int first = 0;
  for (int s = 0; s < strips; ++s) {
    const int rows = (job.rows - first) / (strips - s);
    kStrips.of[rows](job, first);
    first += rows;
  }
}

}  // namespace polyhead::kernels
