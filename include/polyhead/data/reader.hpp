#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "polyhead/base/image.hpp"
#include "polyhead/base/sample.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/location.hpp"

namespace polyhead::data {

/// What a rank must know of the data set before it reads samples.
struct DatasetShape {
  std::int64_t size = 0;
  ImageShape image;  ///< after preprocessing
  friend bool operator==(const DatasetShape&, const DatasetShape&) = default;
};

/// Reads and preprocesses samples: on every rank, one for each of the loader's threads. Used by one thread at
/// a time.
class SampleReader {
 public:
  virtual ~SampleReader() = default;

  /// Samples [first, first + reasons.size()), found at `locations` (one each, or none), preprocessed: fp32
  /// [count, 3, H, W] to `pixels`. A sample that cannot be used sets its reason and leaves zeros. Throws
  /// Error for trouble that is not the sample's own: io_error.
  virtual void read(std::int64_t first, std::span<const Location> locations, std::span<float> pixels,
                    std::span<Reason> reasons) = 0;
  /// Whether `read_bytes` may be called.
  [[nodiscard]] virtual bool gives_bytes() const { return false; }
  /// The same before normalisation, for a device that normalises by itself: uint8 [count, H, W, 3].
  virtual void read_bytes(std::int64_t first, std::span<const Location> locations,
                          std::span<std::uint8_t> pixels, std::span<Reason> reasons);
  /// How many samples one call should read: many where that is cheaper than one by one.
  [[nodiscard]] virtual std::int64_t grain() const { return 1; }
};

/// Throws Error: no_input, bad_data, also when this rank sees another data set than `shape` says.
std::unique_ptr<SampleReader> open_reader(const config::Data& config, const DatasetShape& shape);

}  // namespace polyhead::data
