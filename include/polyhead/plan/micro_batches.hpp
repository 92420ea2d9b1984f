#pragma once

#include <algorithm>
#include <cstdint>

namespace polyhead::plan {

/// Default number of samples in a micro-batch, where the configuration leaves it to polyhead and memory
/// allows it. Never depends on the number of ranks: it is part of the job.
inline constexpr int kDefaultBatch = 32;

/// A run of consecutive samples.
struct SampleRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
  friend bool operator==(const SampleRange&, const SampleRange&) = default;
};

/// Division of the ordered sample list into micro-batches of one size; only the last may hold fewer samples
/// (it is padded for computing). The job alone fixes it, not the number of ranks, so that results are the
/// same on any number.
class MicroBatches {
 public:
  MicroBatches(std::int64_t samples, std::int64_t size) : samples_(samples), size_(size) {}

  [[nodiscard]] std::int64_t samples() const { return samples_; }
  /// Number of samples that every kernel sees at once, padding included.
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] std::int64_t count() const { return (samples_ + size_ - 1) / size_; }
  /// Real samples of micro-batch `index`, without padding.
  [[nodiscard]] SampleRange samples_of(std::int64_t index) const {
    return {index * size_, std::min(size_, samples_ - index * size_)};
  }

 private:
  std::int64_t samples_;
  std::int64_t size_;
};

}  // namespace polyhead::plan
