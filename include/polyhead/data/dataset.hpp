#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "polyhead/base/digest.hpp"
#include "polyhead/base/image.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/location.hpp"
#include "polyhead/data/memory.hpp"

namespace polyhead::data {

/// Digest of a data set, part by part; tells it from others.
struct DatasetDigest {
  Digest list;                  ///< number, names and labels of the samples, shapes
  Digest places;                ///< places of samples in their shards; results do not depend on them
  std::vector<Digest> samples;  ///< the bytes of `digested_samples`
  friend bool operator==(const DatasetDigest&, const DatasetDigest&) = default;
};

/// Numbers of up to 64 of `size` samples, evenly spread, including the first and the last.
std::vector<std::int64_t> digested_samples(std::int64_t size);

/// Numbers of `count` of `size` samples, chosen the same way.
std::vector<std::int64_t> spread_samples(std::int64_t size, std::int64_t count);

/// Input of a job: an ordered list of samples with their labels. Only rank 0 has it; the other ranks read
/// samples through a `SampleReader`. Each format is one implementation. The order is deterministic and part
/// of the job's identity. Const members may be called from any thread, the others from one at a time.
class Dataset {
 public:
  virtual ~Dataset() = default;

  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// Shape after preprocessing.
  [[nodiscard]] virtual ImageShape image_shape() const = 0;
  [[nodiscard]] virtual bool labelled() const = 0;
  /// Names of the labels 0, 1, ...; empty when the data set has none.
  [[nodiscard]] virtual std::vector<std::string> class_names() const { return {}; }
  /// Labels of samples [first, first + labels.size()) as the data set numbers them, -1 where unknown.
  virtual void read_labels(std::int64_t first, std::span<std::int32_t> labels) = 0;
  /// Name of the sample for users: a path, a name in a tar, a row number. Any bytes but NUL.
  [[nodiscard]] virtual std::string sample_id(std::int64_t index) const = 0;
  /// Locations of the samples [first, first + count); empty when their numbers suffice.
  [[nodiscard]] virtual std::vector<Location> locations(std::int64_t first, std::int64_t count) const = 0;
  /// Digest that shows whether this is the data set of an earlier run, without reading it through: names,
  /// labels, shapes, and the bytes of some samples spread over it.
  virtual DatasetDigest digest() = 0;
  /// Paths of files that a copy of the data set on another host must have, in the same size. They are the
  /// files of `most` samples, evenly spread, and all files with many samples.
  [[nodiscard]] virtual std::vector<std::string> files(std::int64_t most) const = 0;
  /// Stamp of the files of the samples [first, first + count), which shows later changes: a digest over their
  /// sizes and times of change. Nothing where that cannot be told: a file has changed within the last two
  /// seconds, or cannot be accessed.
  [[nodiscard]] virtual std::optional<Digest> stamps(std::int64_t first, std::int64_t count) const = 0;
  /// Memory that reading its samples takes.
  [[nodiscard]] virtual image::ReadingMemory reading_memory() const = 0;
  /// One line for the log: "data.h5: 1000 images, uint8 32x32x3, labelled".
  [[nodiscard]] virtual std::string describe() const = 0;
};

/// Opens the data set that the configuration names; on rank 0. `index`: file for the list of samples. It is
/// mapped into memory, and the next run uses it again if the data set is still the same. Throws Error
/// (no_input, bad_data) that names the file and its place, with the finding and the expectation.
std::unique_ptr<Dataset> open(const config::Data& config, const std::filesystem::path& index);

/// Format that `auto` means at this path. Throws Error (no_input, bad_data).
config::DataFormat detect_format(const config::Data& config);

}  // namespace polyhead::data
