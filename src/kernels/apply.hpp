#pragma once

#include "algorithm.hpp"
#include "unroll.hpp"

/// One-dimensional transforms on vectors. The compiler knows each coefficient: zeros cost nothing, ones no
/// multiplication, and points a and -a share their sums.
namespace polyhead::kernels {

/// A matrix. Rows i and i + 1 of an algorithm may differ only in the signs of the odd columns, or of the even
/// ones. Then they are the sum and the difference of two rows that share no column. Those two take their
/// place, and `pair[i]` is set.
struct Map {
  int rows = 0;
  int columns = 0;
  double at[kMaxProducts][kMaxProducts] = {};
  bool pair[kMaxProducts] = {};
};

/// Sign of the mirror: 1 if `b` is `a` with other signs in the odd columns, -1 in the even ones, 0 for
/// neither.
constexpr int mirrored(const double* a, const double* b, int columns) {
  bool plus = true;
  bool minus = true;
  bool has[2] = {};
  for (int k = 0; k < columns; ++k) {
    const double turned = k % 2 == 1 ? -a[k] : a[k];
    plus = plus && b[k] == turned;
    minus = minus && b[k] == -turned;
    has[k % 2] = has[k % 2] || a[k] != 0;
  }
  if (!has[0] || !has[1]) return 0;
  return plus ? 1 : minus ? -1 : 0;
}

/// Map of the rows of B^T or of A, one row per product.
template <int kColumns>
constexpr Map paired(const double (&from)[kMaxProducts][kColumns], int rows, int columns) {
  Map map{rows, columns};
  for (int i = 0; i < rows; ++i) {
    for (int k = 0; k < columns; ++k) map.at[i][k] = from[i][k];
  }
  for (int i = 0; i + 1 < rows; ++i) {
    const int sign = mirrored(map.at[i], map.at[i + 1], columns);
    map.pair[i] = sign != 0;
    for (int k = 0; k < columns && map.pair[i]; ++k) {
      const bool second = (k % 2 == 1) == (sign > 0);
      map.at[i + 1][k] = second ? map.at[i][k] : 0;
      if (second) map.at[i][k] = 0;
    }
  }
  return map;
}

constexpr Map transposed(const Map& of) {
  Map map{of.columns, of.rows};
  for (int i = 0; i < kMaxProducts; ++i) {
    map.pair[i] = of.pair[i];
    for (int k = 0; k < kMaxProducts; ++k) map.at[k][i] = of.at[i][k];
  }
  return map;
}

/// Maps by the number of a tile's outputs along an axis.
template <Scheme kScheme>
inline constexpr const Algorithm (&kSized)[kTile + 1] = kAlgorithms.of[static_cast<int>(kScheme)];

template <Scheme kScheme, int kOutputs>
inline constexpr Map kIn = paired(kSized<kScheme>[kOutputs].from_input, kSized<kScheme>[kOutputs].products,
                                  kSized<kScheme>[kOutputs].inputs);
template <Scheme kScheme, int kOutputs>
inline constexpr Map kOut = transposed(paired(kSized<kScheme>[kOutputs].to_output,
                                              kSized<kScheme>[kOutputs].products, kOutputs));

/// Column with which a row's sum begins: one with coefficient 1 if there is one.
constexpr int first_term(const Map& map, int row) {
  int first = -1;
  for (int k = map.columns - 1; k >= 0; --k) {
    if (map.at[row][k] != 0 && (first < 0 || map.at[row][k] == 1 || map.at[row][first] != 1)) first = k;
  }
  return first;
}

/// A row of the map times x.
template <class Vec, const Map& kMap, int kRow>
[[gnu::always_inline]] inline typename Vec::V dot(const typename Vec::V* x) {
  constexpr int kFirst = first_term(kMap, kRow);
  static_assert(kFirst >= 0);
  typename Vec::V sum = x[kFirst];
  if constexpr (kMap.at[kRow][kFirst] != 1) sum = Vec::all(kMap.at[kRow][kFirst]) * sum;
  unroll<kMap.columns>([&](auto k) __attribute__((always_inline)) {
    constexpr double kFactor = kMap.at[kRow][k];
    if constexpr (k == kFirst || kFactor == 0) {
      return;
    } else if constexpr (kFactor == 1) {
      sum = sum + x[k];
    } else if constexpr (kFactor == -1) {
      sum = sum - x[k];
    } else {
      sum = Vec::multiply_add(Vec::all(kFactor), x[k], sum);
    }
  });
  return sum;
}

template <class Vec, const Map& kMap>
[[gnu::always_inline]] inline void apply(const typename Vec::V* in, typename Vec::V* out) {
  unroll<kMap.rows>([&](auto row) __attribute__((always_inline)) { out[row] = dot<Vec, kMap, row>(in); });
}

/// Replaces each pair of products by its sum and its difference.
template <class Vec, const Map& kMap>
[[gnu::always_inline]] inline void join_pairs(typename Vec::V* products) {
  unroll<kMaxProducts>([&](auto i) __attribute__((always_inline)) {
    if constexpr (kMap.pair[i]) {
      const typename Vec::V sum = products[i] + products[i + 1];
      products[i + 1] = products[i] - products[i + 1];
      products[i] = sum;
    }
  });
}

/// out = B^T in: the axis' inputs to its products.
template <class Vec, Scheme kScheme, int kOutputs>
[[gnu::always_inline]] inline void transform_in(const typename Vec::V* in, typename Vec::V* out) {
  apply<Vec, kIn<kScheme, kOutputs>>(in, out);
  join_pairs<Vec, kIn<kScheme, kOutputs>>(out);
}

/// out = A^T in: the axis' products to its outputs. Overwrites `in`.
template <class Vec, Scheme kScheme, int kOutputs>
[[gnu::always_inline]] inline void transform_out(typename Vec::V* in, typename Vec::V* out) {
  join_pairs<Vec, kOut<kScheme, kOutputs>>(in);
  apply<Vec, kOut<kScheme, kOutputs>>(in, out);
}

}  // namespace polyhead::kernels
