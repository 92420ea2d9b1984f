#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "fixed_filter.hpp"
#include "polyhead/image/normalize.hpp"

namespace polyhead::image {

/// Bytes in a pixel of the rows below: red, green, blue, and one that is carried along. Four are what vector
/// code likes.
inline constexpr std::size_t kPixelBytes = 4;
/// Readable (of sources) or writable (of results) bytes that the kernels want behind a row.
inline constexpr std::size_t kRowSlack = 32;

/// Where result rows lie.
struct ByteRows {
  const std::uint8_t* first = nullptr;
  std::size_t stride = 0;  ///< bytes; a multiple of kRowSlack, so that rows have slack
};

/// The inner loops of decoding, for one kind of processor. All give the same bits: sums are integers, and the
/// normalisation does the same fp32 operations in the same order.
struct ByteKernels {
  /// One row, along its axis.
  void (*filter_row)(const std::uint8_t* row, const FixedFilter& columns, std::uint8_t* out);
  /// Position `index` of `filter`, for all `size` bytes of the rows; the first row is the first that the
  /// filter's window needs.
  void (*filter_column)(ByteRows rows, const FixedFilter& filter, std::size_t index, std::size_t size,
                        std::uint8_t* out);
  /// One row of pixels to one row in each of three planes.
  void (*normalize)(const std::uint8_t* row, std::size_t width, const Normalization& normalization,
                    std::array<float*, 3> planes);
};

const ByteKernels& portable_kernels();
/// Null where the processor has no AVX2.
const ByteKernels* avx2_kernels();
/// Null where the processor has no AVX-512 (F and BW).
const ByteKernels* avx512_kernels();
/// The fastest of this machine.
const ByteKernels& best_kernels();

}  // namespace polyhead::image
