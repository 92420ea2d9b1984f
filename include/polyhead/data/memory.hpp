#pragma once

#include <cstdint>

#include "polyhead/base/image.hpp"
#include "polyhead/image/memory.hpp"

namespace polyhead::data {

/// Piece that an array's reader reads at once.
struct ArrayPiece {
  std::int64_t bytes = 0;        ///< bytes of the piece
  std::int64_t cache = 0;        ///< bytes that the file's library keeps and unpacks into
  ImageShape image;              ///< shape of each of its images
  std::int64_t value_bytes = 1;  ///< bytes per pixel value in memory
};

/// Memory for reading images in an array that become `output`.
image::ReadingMemory array_memory(const ArrayPiece& piece, ImageShape output);

/// Bytes of a rank's whole loader: `batches` micro-batches of `batch_bytes`, and the memory of reading.
std::int64_t loader_memory(const image::ReadingMemory& reading, int workers, std::int64_t batches,
                           std::int64_t batch_bytes);

}  // namespace polyhead::data
