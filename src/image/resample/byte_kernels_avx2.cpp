#include <immintrin.h>

#include "byte_kernels.hpp"

// Compiled for AVX2 whatever the rest is compiled for; called only where the processor has it.
#define POLYHEAD_AVX2 __attribute__((target("avx2")))

namespace polyhead::image {
namespace {

constexpr int kFractionBits = AxisFilter<std::int32_t>::kFractionBits;

POLYHEAD_AVX2 inline __m256i load(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

POLYHEAD_AVX2 inline __m128i load_half(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

POLYHEAD_AVX2 inline __m256i half() {
  return _mm256_set1_epi32(1 << (kFractionBits - 1));
}

/// Sums of products with the two parts of the weights (see TapPair).
struct Sums {
  __m256i low;
  __m256i high;
};

POLYHEAD_AVX2 inline void add(Sums& sums, __m256i values, __m256i low, __m256i high) {
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(values, low));
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(values, high));
}

POLYHEAD_AVX2 inline __m256i finished(const Sums& sums) {
  const __m256i whole = _mm256_add_epi32(sums.low, _mm256_slli_epi32(sums.high, TapPair::kLowBits));
  return _mm256_srai_epi32(_mm256_add_epi32(whole, half()), kFractionBits);
}

/// Values of the four channels at positions `x` and `x` + 1, before clamping. kGroups: 0 when it is not known
/// in advance.
template <std::size_t kGroups>
POLYHEAD_AVX2 inline __m256i two_positions(const std::uint8_t* row, const FixedFilter& columns,
                                           std::size_t x) {
  // Two of four pixels to 16 bits per channel, with equal channels of both side by side.
  const __m256i left =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1));
  const __m256i right = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(8, -1, 12, -1, 9, -1, 13, -1, 10, -1, 14, -1, 11, -1, 15, -1));
  const std::uint8_t* first = row + columns.block_offset(x) * kPixelBytes;
  const std::uint8_t* second = row + columns.block_offset(x + 1) * kPixelBytes;
  const TapBlock* blocks = columns.blocks(x);
  const std::size_t half_block = x % TapBlock::kPositions * 4;
  Sums sums{_mm256_setzero_si256(), _mm256_setzero_si256()};
  for (std::size_t group = 0; group < (kGroups == 0 ? columns.groups() : kGroups); ++group) {
    const __m256i pixels =
        _mm256_inserti128_si256(_mm256_castsi128_si256(load_half(first)), load_half(second), 1);
    const auto& [pair0, pair1] = blocks[group].pairs;
    add(sums, _mm256_shuffle_epi8(pixels, left), load(&pair0.low[half_block]), load(&pair0.high[half_block]));
    add(sums, _mm256_shuffle_epi8(pixels, right), load(&pair1.low[half_block]),
        load(&pair1.high[half_block]));
    first += 4 * kPixelBytes;
    second += 4 * kPixelBytes;
  }
  return finished(sums);
}

template <std::size_t kGroups>
POLYHEAD_AVX2 void filter_row_of(const std::uint8_t* row, const FixedFilter& columns, std::uint8_t* out) {
  for (std::size_t x = 0; x < columns.size(); x += TapBlock::kPositions) {
    const __m256i words = _mm256_packs_epi32(two_positions<kGroups>(row, columns, x),
                                             two_positions<kGroups>(row, columns, x + 2));
    const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    // The halves hold positions 0, 2 and 1, 3.
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + x * kPixelBytes),
                     _mm_shuffle_epi32(bytes, _MM_SHUFFLE(3, 1, 2, 0)));
  }
}

POLYHEAD_AVX2 void filter_row(const std::uint8_t* row, const FixedFilter& columns, std::uint8_t* out) {
  if (columns.groups() == 1) return filter_row_of<1>(row, columns, out);
  if (columns.groups() == 2) return filter_row_of<2>(row, columns, out);
  filter_row_of<0>(row, columns, out);
}

/// Adds two rows' 32 bytes from `x` on, times their weights, to the sums. Each sum holds bytes 0-3 and 16-19,
/// 4-7 and 20-23, and so on.
POLYHEAD_AVX2 inline void add_rows(std::array<Sums, 4>& sums, const std::uint8_t* first,
                                   const std::uint8_t* second, __m256i low, __m256i high) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i a = load(first);
  const __m256i b = load(second);
  const __m256i left = _mm256_unpacklo_epi8(a, b);
  const __m256i right = _mm256_unpackhi_epi8(a, b);
  add(sums[0], _mm256_unpacklo_epi8(left, zero), low, high);
  add(sums[1], _mm256_unpackhi_epi8(left, zero), low, high);
  add(sums[2], _mm256_unpacklo_epi8(right, zero), low, high);
  add(sums[3], _mm256_unpackhi_epi8(right, zero), low, high);
}

POLYHEAD_AVX2 void filter_column(ByteRows rows, const FixedFilter& filter, std::size_t index,
                                 std::size_t size, std::uint8_t* out) {
  const std::uint8_t* first = rows.first + filter.offset(index) * rows.stride;
  const auto pairs = filter.pairs(index);
  const std::size_t count = filter.taps().weights(index).size();
  for (std::size_t x = 0; x < size; x += 32) {
    std::array<Sums, 4> sums;
    for (Sums& four : sums) four = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    const std::uint8_t* row = first + x;
    for (std::size_t tap = 0; tap < count; tap += 2, row += 2 * rows.stride) {
      const TapPair& pair = pairs[tap / 2];
      const std::uint8_t* next = tap + 1 < count ? row + rows.stride : row;  // behind the last row the weight
                                                                             // is zero
      add_rows(sums, row, next, _mm256_set1_epi32(pair.low), _mm256_set1_epi32(pair.high));
    }
    const __m256i left = _mm256_packs_epi32(finished(sums[0]), finished(sums[1]));
    const __m256i right = _mm256_packs_epi32(finished(sums[2]), finished(sums[3]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + x), _mm256_packus_epi16(left, right));
  }
}

POLYHEAD_AVX2 void normalize(const std::uint8_t* row, std::size_t width, const Normalization& normalization,
                             std::array<float*, 3> planes) {
  const __m256i byte = _mm256_set1_epi32(0xFF);
  const __m256 most = _mm256_set1_ps(255.0F);
  std::size_t x = 0;
  for (; x + 8 <= width; x += 8) {
    __m256i pixels = load(row + x * kPixelBytes);
    for (std::size_t c = 0; c < 3; ++c) {
      const __m256 value = _mm256_cvtepi32_ps(_mm256_and_si256(pixels, byte));
      const __m256 centred = _mm256_sub_ps(_mm256_div_ps(value, most), _mm256_set1_ps(normalization.mean[c]));
      _mm256_storeu_ps(planes[c] + x, _mm256_div_ps(centred, _mm256_set1_ps(normalization.std[c])));
      pixels = _mm256_srli_epi32(pixels, 8);
    }
  }
  const std::uint8_t* rest = row + x * kPixelBytes;
  portable_kernels().normalize(rest, width - x, normalization, {planes[0] + x, planes[1] + x, planes[2] + x});
}

}  // namespace

const ByteKernels* avx2_kernels() {
  static constexpr ByteKernels kKernels{filter_row, filter_column, normalize};
  return __builtin_cpu_supports("avx2") ? &kKernels : nullptr;
}

}  // namespace polyhead::image
