#pragma once

#include <cstdint>

#include "polyhead/base/image.hpp"
#include "polyhead/config/config.hpp"

namespace polyhead::image {

/// Bytes that reading takes, besides the micro-batches that are held.
struct ReadingMemory {
  std::int64_t ordinary = 0;  ///< bytes that each thread keeps if it meets no unusual sample
  std::int64_t worker = 0;    ///< bytes of each thread at its worst
  /// Bytes of all threads together for one sample that is larger than usual: such samples are read one at a
  /// time.
  std::int64_t large_sample = 0;
  bool bytes = true;  ///< whether a GPU gets the samples as bytes, rather than fp32
};

/// Memory for reading image files within `data.max_pixels` and `data.max_file_size`, cropped as
/// `data.preprocess` says: the file, the memory of the most demanding format's decoder, the resizer's rows
/// and tables.
ReadingMemory encoded_memory(const config::Data& config);

/// Bytes of the filters that scale `image` to `output`, in all the forms that are kept.
std::int64_t filter_memory(ImageShape image, ImageShape output);

}  // namespace polyhead::image
