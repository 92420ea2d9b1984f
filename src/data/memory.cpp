#include "polyhead/data/memory.hpp"

#include <algorithm>

namespace polyhead::data {
namespace {

constexpr std::int64_t kSmallThings = std::int64_t{2} << 20U;  // buffers of fixed size, rounding up

}  // namespace

image::ReadingMemory array_memory(const ArrayPiece& piece, ImageShape output) {
  const std::int64_t across = std::max(piece.image.width, output.width);
  const std::int64_t scaled =
      std::int64_t{output.width} * piece.image.height + across * output.height + across;
  const std::int64_t worker = piece.bytes + piece.cache +
                              3 * scaled * std::max<std::int64_t>(piece.value_bytes, 1) +
                              image::filter_memory(piece.image, output) + kSmallThings;
  return {worker, worker, 0, piece.value_bytes == 1};
}

std::int64_t loader_memory(const image::ReadingMemory& reading, int workers, std::int64_t batches,
                           std::int64_t batch_bytes) {
  return batches * batch_bytes + workers * reading.worker + reading.large_sample;
}

}  // namespace polyhead::data
