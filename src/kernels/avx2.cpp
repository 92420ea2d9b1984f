#include <immintrin.h>

#include "make_kernels.hpp"

// Compiled for this instruction set (src/CMakeLists.txt); called only where the processor has it.
namespace polyhead::kernels {

/// Eight floats, and as many rows of the product as 16 registers hold.
struct Avx2 {
  using V = __m256;
  static constexpr int kWidth = 8;
  static constexpr int kRows = 6;

  static V zero() { return _mm256_setzero_ps(); }
  static V all(double value) { return _mm256_set1_ps(static_cast<float>(value)); }
  static V repeat(const float* from) { return _mm256_broadcast_ss(from); }
  static V load(const float* from) { return _mm256_loadu_ps(from); }
  static void store(float* to, V value) { _mm256_storeu_ps(to, value); }
  /// a b + c, rounded once.
  static V multiply_add(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  /// 0 for a NaN in `a`; the second operand is the one that survives.
  static V at_least(V a, V b) { return _mm256_max_ps(a, b); }
  static V magnitude(V a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), a); }
  /// Larger of two values without sign, or a NaN if there is one.
  static V larger_magnitude(V a, V b) {
    return _mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
  }
  static void prefetch(const float* from) { _mm_prefetch(reinterpret_cast<const char*>(from), _MM_HINT_T0); }
};

extern const Kernels kAvx2Kernels;
constexpr Kernels kAvx2Kernels = make_kernels<Avx2>();

}  // namespace polyhead::kernels
