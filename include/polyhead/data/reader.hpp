#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "polyhead/base/image.hpp"
#include "polyhead/base/sample.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/location.hpp"

namespace polyhead::data {

/// Facts about the data set that a rank needs before it reads samples.
struct DatasetShape {
  std::int64_t size = 0;
  ImageShape image;  ///< shape after preprocessing
  friend bool operator==(const DatasetShape&, const DatasetShape&) = default;
};

/// Reads and preprocesses samples. Every rank has one for each of the loader's threads. Used by one thread at
/// a time.
class SampleReader {
 public:
  virtual ~SampleReader() = default;

  /// Reads samples [first, first + reasons.size()), found at `locations` (one each, or none), preprocessed:
  /// fp32 [count, 3, H, W] to `pixels`. A sample that cannot be used sets its reason and leaves zeros. Throws
  /// Error(io_error) for trouble that is not the sample's own.
  virtual void read(std::int64_t first, std::span<const Location> locations, std::span<float> pixels,
                    std::span<Reason> reasons) = 0;
  /// Whether `read_bytes` may be called.
  [[nodiscard]] virtual bool gives_bytes() const { return false; }
  /// Reads samples without normalisation, for a device that normalises by itself: uint8 [count, H, W, 3].
  virtual void read_bytes(std::int64_t first, std::span<const Location> locations,
                          std::span<std::uint8_t> pixels, std::span<Reason> reasons);
  /// Number of samples that one call should read: more than one where that is cheaper than single reads.
  [[nodiscard]] virtual std::int64_t grain() const { return 1; }
};

/// Opens a reader. Throws Error: no_input, bad_data, also when this rank sees another data set than `shape`
/// says.
std::unique_ptr<SampleReader> open_reader(const config::Data& config, const DatasetShape& shape);

}  // namespace polyhead::data
