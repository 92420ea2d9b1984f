#include "byte_kernels.hpp"

#include <algorithm>

namespace polyhead::image {
namespace {

constexpr int kFractionBits = AxisFilter<std::int32_t>::kFractionBits;
constexpr std::int32_t kHalf = 1 << (kFractionBits - 1);

std::uint8_t rounded(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

void filter_row(const std::uint8_t* row, const FixedFilter& columns, std::uint8_t* out) {
  for (std::size_t x = 0; x < columns.size(); ++x, out += kPixelBytes) {
    std::array<std::int32_t, kPixelBytes> sums;
    sums.fill(kHalf);
    const std::uint8_t* pixel = row + columns.offset(x) * kPixelBytes;
    for (const std::int32_t weight : columns.taps().weights(x)) {
      for (std::size_t c = 0; c < kPixelBytes; ++c) sums[c] += pixel[c] * weight;
      pixel += kPixelBytes;
    }
    for (std::size_t c = 0; c < kPixelBytes; ++c) out[c] = rounded(sums[c]);
  }
}

/// Number of sums that fit into the first-level cache.
constexpr std::size_t kBlock = 1024;

void filter_block(const std::uint8_t* first, std::size_t stride, std::span<const std::int32_t> weights,
                  std::size_t size, std::uint8_t* out) {
  std::array<std::int32_t, kBlock> sums;
  std::fill_n(sums.begin(), size, kHalf);
  for (const std::int32_t weight : weights) {
    for (std::size_t x = 0; x < size; ++x) sums[x] += first[x] * weight;
    first += stride;
  }
  for (std::size_t x = 0; x < size; ++x) out[x] = rounded(sums[x]);
}

void filter_column(ByteRows rows, const FixedFilter& filter, std::size_t index, std::size_t size,
                   std::uint8_t* out) {
  const std::uint8_t* first = rows.first + filter.offset(index) * rows.stride;
  for (std::size_t x = 0; x < size; x += kBlock) {
    filter_block(first + x, rows.stride, filter.taps().weights(index), std::min(kBlock, size - x), out + x);
  }
}

void normalize(const std::uint8_t* row, std::size_t width, const Normalization& normalization,
               std::array<float*, 3> planes) {
  for (std::size_t c = 0; c < 3; ++c) {
    const auto& table = normalization.table[c];
    for (std::size_t x = 0; x < width; ++x) planes[c][x] = table[row[x * kPixelBytes + c]];
  }
}

}  // namespace

const ByteKernels& portable_kernels() {
  static constexpr ByteKernels kKernels{filter_row, filter_column, normalize};
  return kKernels;
}

const ByteKernels& best_kernels() {
  if (const ByteKernels* widest = avx512_kernels(); widest != nullptr) return *widest;
  const ByteKernels* vectorised = avx2_kernels();
  return vectorised != nullptr ? *vectorised : portable_kernels();
}

}  // namespace polyhead::image
