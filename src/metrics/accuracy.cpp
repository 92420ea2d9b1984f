#include "polyhead/metrics/accuracy.hpp"

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/sample.hpp"

namespace polyhead::metrics {

void AccuracyCounts::add(std::span<const std::int32_t> labels, std::span<const std::int32_t> fused,
                         std::span<const std::int32_t> heads, std::span<const std::uint8_t> status) {
  const std::size_t samples = labels.size();
  const std::size_t width = head_correct_.size();
  if (fused.size() != samples || status.size() != samples || heads.size() != samples * width) {
    throw Error(
        ExitCode::internal,
        fmt::format("accuracy: {} labels, but {} predictions, {} states and {} predictions of {} heads",
                    samples, fused.size(), status.size(), heads.size(), width));
  }
  for (std::size_t i = 0; i < samples; ++i) {
    const auto state = static_cast<SampleStatus>(status[i]);
    if (labels[i] < 0) continue;
    if (state == SampleStatus::quarantined) ++quarantined_;
    if (state != SampleStatus::done) continue;
    ++labelled_;
    if (fused[i] == labels[i]) ++correct_;
    for (std::size_t k = 0; k < width; ++k) {
      if (heads[i * width + k] == labels[i]) ++head_correct_[k];
    }
  }
}

void AccuracyCounts::merge(const AccuracyCounts& other) {
  if (other.head_correct_.size() != head_correct_.size()) {
    throw Error(ExitCode::internal, fmt::format("accuracy: counts of {} and of {} heads cannot be merged",
                                                head_correct_.size(), other.head_correct_.size()));
  }
  labelled_ += other.labelled_;
  quarantined_ += other.quarantined_;
  correct_ += other.correct_;
  for (std::size_t k = 0; k < head_correct_.size(); ++k) head_correct_[k] += other.head_correct_[k];
}

AccuracyBounds bounds(std::int64_t correct, std::int64_t labelled, std::int64_t quarantined) {
  const auto all = static_cast<double>(labelled + quarantined);
  if (all == 0) return {0, 1};  // no sample was counted
  return {static_cast<double>(correct) / all, static_cast<double>(correct + quarantined) / all};
}

}  // namespace polyhead::metrics
