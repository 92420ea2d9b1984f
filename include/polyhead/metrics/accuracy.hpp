#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace polyhead::metrics {

/// Integer counts for the accuracies of an ensemble and its heads: mergeable, exact, independent of order.
class AccuracyCounts {
 public:
  explicit AccuracyCounts(std::int64_t heads) : head_correct_(static_cast<std::size_t>(heads)) {}

  /// Counts n samples. `labels` [n], -1 unknown: not counted; `fused` [n]; `heads` [n, K]; `status` [n]
  /// (SampleStatus): pending samples are not counted, quarantined ones only as such.
  void add(std::span<const std::int32_t> labels, std::span<const std::int32_t> fused,
           std::span<const std::int32_t> heads, std::span<const std::uint8_t> status);
  void merge(const AccuracyCounts& other);

  /// Number of done samples with a label.
  [[nodiscard]] std::int64_t labelled() const { return labelled_; }
  /// Number of quarantined samples with a label.
  [[nodiscard]] std::int64_t quarantined() const { return quarantined_; }
  [[nodiscard]] std::int64_t correct() const { return correct_; }
  [[nodiscard]] std::int64_t head_correct(std::int64_t head) const {
    return head_correct_[static_cast<std::size_t>(head)];
  }
  [[nodiscard]] std::int64_t heads() const { return static_cast<std::int64_t>(head_correct_.size()); }

 private:
  std::int64_t labelled_ = 0;
  std::int64_t quarantined_ = 0;
  std::int64_t correct_ = 0;
  std::vector<std::int64_t> head_correct_;
};

/// Range of an accuracy when `quarantined` samples have no prediction: from all of them wrong to all of them
/// right.
struct AccuracyBounds {
  double worst = 0;
  double best = 0;
};
AccuracyBounds bounds(std::int64_t correct, std::int64_t labelled, std::int64_t quarantined);

}  // namespace polyhead::metrics
