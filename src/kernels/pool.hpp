#pragma once

#include "table.hpp"

namespace polyhead::kernels {

/// `in`: the pixel one row before and one column left of the first one. Values are at least 0, or NaN.
/// Without their sign (of -0 and NaN) their bits, taken as integers, have the order of the values, and NaN is
/// the largest.
template <class Vec>
void pool_row(const float* in, std::ptrdiff_t row, float* out, int columns) {
  const auto column = [&](std::ptrdiff_t x) __attribute__((always_inline)) {
    const float* top = in + x * Vec::kWidth;
    const auto value = [&](int y) __attribute__((always_inline)) {
      return Vec::magnitude(Vec::load(top + y * row));
    };
    return Vec::larger_magnitude(Vec::larger_magnitude(value(0), value(1)), value(2));
  };
  auto left = column(0);
  for (int x = 0; x < columns; ++x) {
    const auto right = column(2 * x + 2);
    const auto largest = Vec::larger_magnitude(Vec::larger_magnitude(left, column(2 * x + 1)), right);
    Vec::store(out + x * Vec::kWidth, largest);
    left = right;
  }
}

}  // namespace polyhead::kernels
