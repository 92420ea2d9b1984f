#pragma once

#include <utility>

#include "algorithm.hpp"

/// The one-dimensional transforms on vectors, each coefficient known to the compiler: zeros cost nothing,
/// ones no multiplication, and points a and -a share their sums.
///
/// This header, gemm.hpp, pool.hpp and tile_transform.hpp are compiled once for each instruction set (`Vec`).
/// They use nothing of the standard library that ends up as a shared function: the linker might keep the one
/// with instructions that another processor lacks.
namespace polyhead::kernels {

template <int kCount, class Body>
[[gnu::always_inline]] constexpr void unroll(const Body& body) {
  [&]<int... kIndex>(std::integer_sequence<int, kIndex...>) __attribute__((always_inline)) {
    (body(std::integral_constant<int, kIndex>()), ...);
  }
  (std::make_integer_sequence<int, kCount>());
}

enum class Columns { all, even, odd };

constexpr bool takes(const double* row, int column, Columns columns) {
  return row[column] != 0 && (columns == Columns::all || (column % 2 == 1) == (columns == Columns::odd));
}

/// The column that a sum begins with: one with coefficient 1 if there is one. -1: all are zero.
constexpr int first_term(const double* row, int count, Columns columns) {
  int first = -1;
  for (int column = count - 1; column >= 0; --column) {
    if (takes(row, column, columns) && (first < 0 || row[column] == 1 || row[first] != 1)) first = column;
  }
  return first;
}

/// Sum of row[k] x[k] over `kColumns`, where Row::value() is the row.
template <class Vec, class Row, int kCount, Columns kColumns>
[[gnu::always_inline]] inline typename Vec::V dot(const typename Vec::V* x) {
  constexpr int kFirst = first_term(Row::value(), kCount, kColumns);
  static_assert(kFirst >= 0);
  constexpr double kFactor = Row::value()[kFirst];
  typename Vec::V sum = x[kFirst];
  if constexpr (kFactor != 1) sum = Vec::multiply(Vec::all(kFactor), sum);
  unroll<kCount>([&](auto column) __attribute__((always_inline)) {
    constexpr int kColumn = decltype(column)::value;
    if constexpr (kColumn != kFirst && takes(Row::value(), kColumn, kColumns)) {
      constexpr double kCoefficient = Row::value()[kColumn];
      if constexpr (kCoefficient == 1) {
        sum = Vec::add(sum, x[kColumn]);
      } else if constexpr (kCoefficient == -1) {
        sum = Vec::subtract(sum, x[kColumn]);
      } else {
        sum = Vec::multiply_add(Vec::all(kCoefficient), x[kColumn], sum);
      }
    }
  });
  return sum;
}

/// An algorithm, and which of its products i and i + 1 are those of points a and -a.
template <Scheme kScheme, int kOutputs>
struct Axis {
  static constexpr Algorithm kAlgorithm = algorithm(kScheme, kOutputs);

  /// Rows i and i + 1 of B^T are e + o and e - o (1), or e + o and o - e (-1), where e takes the even columns
  /// and o the odd ones; 0: neither.
  static constexpr int mirrored_in(int i) {
    if (i < 0 || i + 1 >= kAlgorithm.products) return 0;
    bool plus = true;
    bool minus = true;
    bool has[2] = {};
    for (int k = 0; k < kAlgorithm.inputs; ++k) {
      const double a = (k % 2 == 1 ? -1 : 1) * kAlgorithm.from_input[i][k];
      plus = plus && kAlgorithm.from_input[i + 1][k] == a;
      minus = minus && kAlgorithm.from_input[i + 1][k] == -a;
      has[k % 2] = has[k % 2] || a != 0;
    }
    return has[0] && has[1] ? (plus ? 1 : minus ? -1 : 0) : 0;
  }
  /// Columns i and i + 1 of A^T differ in the sign of the odd rows only.
  static constexpr bool mirrored_out(int i) {
    if (i < 0 || i + 1 >= kAlgorithm.products || kOutputs == 1) return false;
    for (int j = 0; j < kOutputs; ++j) {
      const double a = kAlgorithm.to_output[j][i];
      if (a == 0 || kAlgorithm.to_output[j][i + 1] != (j % 2 == 1 ? -a : a)) return false;
    }
    return true;
  }

  template <int kProduct>
  struct FromInput {
    static constexpr const double* value() { return kAlgorithm.from_input[kProduct]; }
  };
  /// A^T where mirrored products have been replaced by their sum and their difference.
  struct Folded {
    double at[kTile][kMostProducts];
  };
  static constexpr Folded fold() {
    Folded folded{};
    for (int j = 0; j < kOutputs; ++j) {
      for (int i = 0; i < kAlgorithm.products; ++i) {
        const bool skipped = (j % 2 == 1 && mirrored_out(i)) || (j % 2 == 0 && mirrored_out(i - 1));
        folded.at[j][i] = skipped ? 0 : kAlgorithm.to_output[j][mirrored_out(i - 1) ? i - 1 : i];
      }
    }
    return folded;
  }
  static constexpr Folded kFolded = fold();
  template <int kOutput>
  struct ToOutput {
    static constexpr const double* value() { return kFolded.at[kOutput]; }
  };
};

/// out = B^T in: the axis' inputs to its products.
template <class Vec, class Axis>
[[gnu::always_inline]] inline void transform_in(const typename Vec::V* in, typename Vec::V* out) {
  constexpr int kInputs = Axis::kAlgorithm.inputs;
  unroll<Axis::kAlgorithm.products>([&](auto product) __attribute__((always_inline)) {
    constexpr int kProduct = decltype(product)::value;
    using Row = typename Axis::template FromInput<kProduct>;
    if constexpr (Axis::mirrored_in(kProduct) != 0) {
      const typename Vec::V even = dot<Vec, Row, kInputs, Columns::even>(in);
      const typename Vec::V odd = dot<Vec, Row, kInputs, Columns::odd>(in);
      out[kProduct] = Vec::add(even, odd);
      out[kProduct + 1] =
          Axis::mirrored_in(kProduct) > 0 ? Vec::subtract(even, odd) : Vec::subtract(odd, even);
    } else if constexpr (Axis::mirrored_in(kProduct - 1) == 0) {
      out[kProduct] = dot<Vec, Row, kInputs, Columns::all>(in);
    }
  });
}

/// out = A^T in: the axis' products to its outputs. Overwrites `in`.
template <class Vec, class Axis>
[[gnu::always_inline]] inline void transform_out(typename Vec::V* in, typename Vec::V* out) {
  constexpr int kProducts = Axis::kAlgorithm.products;
  unroll<kProducts>([&](auto product) __attribute__((always_inline)) {
    constexpr int kProduct = decltype(product)::value;
    if constexpr (Axis::mirrored_out(kProduct)) {
      const typename Vec::V sum = Vec::add(in[kProduct], in[kProduct + 1]);
      in[kProduct + 1] = Vec::subtract(in[kProduct], in[kProduct + 1]);
      in[kProduct] = sum;
    }
  });
  unroll<Axis::kAlgorithm.outputs>([&](auto output) __attribute__((always_inline)) {
    constexpr int kOutput = decltype(output)::value;
    out[kOutput] = dot<Vec, typename Axis::template ToOutput<kOutput>, kProducts, Columns::all>(in);
  });
}

}  // namespace polyhead::kernels
