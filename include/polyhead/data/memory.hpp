#pragma once

#include <cstdint>

#include "polyhead/base/image.hpp"
#include "polyhead/image/memory.hpp"

namespace polyhead::data {

/// What an array's reader reads at once.
struct ArrayPiece {
  std::int64_t bytes = 0;        ///< of it
  std::int64_t cache = 0;        ///< that the file's library keeps and unpacks into
  ImageShape image;              ///< of each of its images
  std::int64_t value_bytes = 1;  ///< of a pixel's value in memory
};

/// Of images in an array, which become `output`.
image::ReadingMemory array_memory(const ArrayPiece& piece, ImageShape output);

/// Of a rank's whole loader: `batches` micro-batches of `batch_bytes`, and what reading takes.
std::int64_t loader_memory(const image::ReadingMemory& reading, int workers, std::int64_t batches,
                           std::int64_t batch_bytes);

}  // namespace polyhead::data
