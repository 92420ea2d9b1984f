#include <immintrin.h>

#include "make_kernels.hpp"

// Compiled for this instruction set (src/CMakeLists.txt); called only where the processor has it.
namespace polyhead::kernels {

/// Sixteen floats, and as many rows of the product as 32 registers hold.
struct Avx512 {
  using V = __m512;
  static constexpr int kWidth = 16;
  static constexpr int kRows = 14;

  static V zero() { return _mm512_setzero_ps(); }
  static V all(double value) { return _mm512_set1_ps(static_cast<float>(value)); }
  static V repeat(const float* from) { return _mm512_set1_ps(*from); }
  static V load(const float* from) { return _mm512_loadu_ps(from); }
  static void store(float* to, V value) { _mm512_storeu_ps(to, value); }
  /// a b + c, rounded once.
  static V multiply_add(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  /// 0 for a NaN in `a`; the second operand is the one that survives.
  static V at_least(V a, V b) { return _mm512_max_ps(a, b); }
  static V magnitude(V a) { return _mm512_abs_ps(a); }
  /// Larger of two values without sign, or a NaN if there is one.
  static V larger_magnitude(V a, V b) {
    return _mm512_castsi512_ps(_mm512_max_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
  }
  static void prefetch(const float* from) { _mm_prefetch(reinterpret_cast<const char*>(from), _MM_HINT_T0); }
};

extern const Kernels kAvx512Kernels;
constexpr Kernels kAvx512Kernels = make_kernels<Avx512>();

}  // namespace polyhead::kernels
