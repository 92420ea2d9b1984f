#pragma once

#include <utility>

/// Loops and branches over constants.
///
/// This header and those that include it are compiled once for each instruction set. They use nothing of the
/// standard library that ends up as a shared function: the linker might keep the one with instructions that
/// another processor lacks.
namespace polyhead::kernels {

/// body(0), ..., body(kCount - 1), each as a constant.
template <int kCount, class Body>
[[gnu::always_inline]] constexpr void unroll(const Body& body) {
  [&]<int... kIndex>(std::integer_sequence<int, kIndex...>) __attribute__((always_inline)) {
    (body(std::integral_constant<int, kIndex>()), ...);
  }
  (std::make_integer_sequence<int, kCount>());
}

/// body(count) as a constant, for count in 1 to kMax.
template <int kMax, class Body>
[[gnu::always_inline]] inline void with_count(int count, const Body& body) {
  unroll<kMax>([&](auto i) __attribute__((always_inline)) {
    if (count == i + 1) body(std::integral_constant<int, i + 1>());
  });
}

/// Calls body(rows as a constant, first row) for strips of at most kMax rows, with heights as equal as
/// possible.
template <int kMax, class Body>
[[gnu::always_inline]] inline void in_strips(int count, const Body& body) {
  int first = 0;
  for (int strips = (count + kMax - 1) / kMax; strips > 0; --strips) {
    const int height = (count - first) / strips;
    with_count<kMax>(
        height, [&](auto rows) __attribute__((always_inline)) { body(rows, first); });
    first += height;
  }
}

}  // namespace polyhead::kernels
