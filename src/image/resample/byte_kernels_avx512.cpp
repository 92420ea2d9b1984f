#include <immintrin.h>

#include "byte_kernels.hpp"

// Compiled as in byte_kernels_avx2.cpp. Only the costliest kernel gains from the double width.
#define POLYHEAD_AVX512 __attribute__((target("avx512f,avx512bw")))

namespace polyhead::image {
namespace {

constexpr int kFractionBits = AxisFilter<std::int32_t>::kFractionBits;

POLYHEAD_AVX512 inline __m128i load_pixels(const std::uint8_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

/// Sums of products with the two parts of the weights (see TapPair).
struct Sums {
  __m512i low;
  __m512i high;
};

POLYHEAD_AVX512 inline void add(Sums& sums, __m512i values, const TapBlock::Pair& pair) {
  sums.low = _mm512_add_epi32(sums.low, _mm512_madd_epi16(values, _mm512_load_si512(pair.low.data())));
  sums.high = _mm512_add_epi32(sums.high, _mm512_madd_epi16(values, _mm512_load_si512(pair.high.data())));
}

/// Four pixels per position, for four positions from `x` on.
POLYHEAD_AVX512 inline __m512i load_block(const std::uint8_t* row, const FixedFilter& columns,
                                          std::size_t x) {
  const auto source = [&](std::size_t i) { return row + columns.block_offset(x + i) * kPixelBytes; };
  __m512i pixels = _mm512_castsi128_si512(load_pixels(source(0)));
  pixels = _mm512_inserti32x4(pixels, load_pixels(source(1)), 1);
  pixels = _mm512_inserti32x4(pixels, load_pixels(source(2)), 2);
  return _mm512_inserti32x4(pixels, load_pixels(source(3)), 3);
}

POLYHEAD_AVX512 void filter_row(const std::uint8_t* row, const FixedFilter& columns, std::uint8_t* out) {
  // Two of four pixels to 16 bits per channel, with equal channels of both side by side.
  const __m512i left =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1));
  const __m512i right =
      _mm512_broadcast_i32x4(_mm_setr_epi8(8, -1, 12, -1, 9, -1, 13, -1, 10, -1, 14, -1, 11, -1, 15, -1));
  const __m512i half = _mm512_set1_epi32(1 << (kFractionBits - 1));
  for (std::size_t x = 0; x < columns.size(); x += TapBlock::kPositions) {
    const TapBlock* blocks = columns.blocks(x);
    Sums sums{half, _mm512_setzero_si512()};
    for (std::size_t group = 0; group < columns.groups(); ++group) {
      const __m512i pixels = load_block(row + group * 4 * kPixelBytes, columns, x);
      add(sums, _mm512_shuffle_epi8(pixels, left), blocks[group].pairs[0]);
      add(sums, _mm512_shuffle_epi8(pixels, right), blocks[group].pairs[1]);
    }
    const __m512i whole = _mm512_add_epi32(sums.low, _mm512_slli_epi32(sums.high, TapPair::kLowBits));
    const __m512i value = _mm512_max_epi32(_mm512_srai_epi32(whole, kFractionBits), _mm512_setzero_si512());
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + x * kPixelBytes), _mm512_cvtusepi32_epi8(value));
  }
}

}  // namespace

const ByteKernels* avx512_kernels() {
  if (!__builtin_cpu_supports("avx512bw") || avx2_kernels() == nullptr) return nullptr;
  static const ByteKernels kKernels{filter_row, avx2_kernels()->filter_column, avx2_kernels()->normalize};
  return &kKernels;
}

}  // namespace polyhead::image
