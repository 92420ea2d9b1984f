#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "fixed_filter.hpp"
#include "polyhead/image/normalize.hpp"

namespace polyhead::image {

/// Bytes per pixel of these rows: red, green, blue, and one that is carried along. Vector code prefers four.
inline constexpr std::size_t kPixelBytes = 4;
/// Bytes behind a row that the kernels may read (of sources) or write (of results).
inline constexpr std::size_t kRowSlack = 32;

/// Result rows in memory.
struct ByteRows {
  const std::uint8_t* first = nullptr;
  std::size_t stride = 0;  ///< bytes; a multiple of kRowSlack, so that rows have slack
};

/// Inner loops of decoding for one kind of processor. All give equal bits: sums are integers, and the
/// normalisation does equal fp32 operations in one order.
struct ByteKernels {
  /// Filters one row along its axis.
  void (*filter_row)(const std::uint8_t* row, const FixedFilter& columns, std::uint8_t* out);
  /// Filters position `index` of `filter` for all `size` bytes of the rows. The first row is the first in the
  /// filter's window.
  void (*filter_column)(ByteRows rows, const FixedFilter& filter, std::size_t index, std::size_t size,
                        std::uint8_t* out);
  /// Converts one row of pixels to one row in each of three planes.
  void (*normalize)(const std::uint8_t* row, std::size_t width, const Normalization& normalization,
                    std::array<float*, 3> planes);
};

const ByteKernels& portable_kernels();
/// Kernels for AVX2; null where the processor does not have it.
const ByteKernels* avx2_kernels();
/// Kernels for AVX-512 (F and BW); null where the processor does not have it.
const ByteKernels* avx512_kernels();
/// Fastest kernels on this machine.
const ByteKernels& best_kernels();

}  // namespace polyhead::image
