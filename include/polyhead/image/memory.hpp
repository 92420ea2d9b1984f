#pragma once

#include <cstdint>

#include "polyhead/base/image.hpp"
#include "polyhead/config/config.hpp"

namespace polyhead::image {

/// Bytes that reading takes, beside the micro-batches that are held.
struct ReadingMemory {
  std::int64_t ordinary = 0;  ///< of each thread that meets no unusual sample: what it keeps
  std::int64_t worker = 0;    ///< of each thread at its worst
  /// Of all threads together, for one sample that is larger than usual: such ones are read one at a time.
  std::int64_t large_sample = 0;
  bool bytes = true;  ///< whether a GPU gets the samples as bytes, and else as fp32
};

/// Of image files within `data.max_pixels` and `data.max_file_size`, cropped as `data.preprocess` says: the
/// file, what the decoder of the hungriest format takes, the resizer's rows and tables.
ReadingMemory encoded_memory(const config::Data& config);

/// Of the filters that scale `image` to `output`, in all the forms that they are kept in.
std::int64_t filter_memory(ImageShape image, ImageShape output);

}  // namespace polyhead::image
