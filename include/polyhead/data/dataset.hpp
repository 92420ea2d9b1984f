#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "polyhead/base/digest.hpp"
#include "polyhead/base/image.hpp"
#include "polyhead/base/sample.hpp"
#include "polyhead/config/config.hpp"

namespace polyhead::data {

/// An ordered list of samples, opened by every rank. Each format is one implementation. Sample order is
/// deterministic and part of the job's identity. Const members may be called from any thread, the others from
/// one at a time.
class Dataset {
 public:
  virtual ~Dataset() = default;

  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// After preprocessing.
  [[nodiscard]] virtual ImageShape image_shape() const = 0;
  [[nodiscard]] virtual bool labelled() const = 0;
  /// Class of samples [first, first + labels.size()), -1 where unknown. Rank 0 only: others never read
  /// labels.
  virtual void read_labels(std::int64_t first, std::span<std::int32_t> labels) = 0;
  /// What users know the sample by; for arrays, its row number.
  [[nodiscard]] virtual std::string sample_id(std::int64_t index) const = 0;
  /// Preprocesses samples [first, first + reasons.size()) to fp32 [count, 3, H, W] at `pixels`. A sample that
  /// cannot be decoded sets its reason and writes zeros. Throws Error for trouble that is not one sample's:
  /// io_error.
  virtual void read(std::int64_t first, std::span<float> pixels, std::span<Reason> reasons) = 0;
  /// Tells whether this is the data set that an earlier run saw, without reading it through: shapes, types,
  /// labels, and the bytes of some samples spread over it.
  virtual Digest digest() = 0;
  /// One line for the log: "data.h5: 1000 images, uint8 32x32x3, labelled".
  [[nodiscard]] virtual std::string describe() const = 0;
};

/// Opens the data set that the configuration names. Throws Error (no_input, bad_data) that names file and
/// dataset, says what was found and what is expected.
std::unique_ptr<Dataset> open(const config::Data& config);

}  // namespace polyhead::data
