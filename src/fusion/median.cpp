#include "median.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace polyhead::fusion {
namespace {

/// Median of `values`, which are finite and at least one; reorders them. A zero is always positive: the
/// library chooses which of two equal zeros comes first.
float median_of(std::span<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle + 0.0F;
  const double below = *std::max_element(values.begin(), middle);
  return static_cast<float>((below + static_cast<double>(*middle)) / 2) + 0.0F;
}

class Median final : public Rule {
 public:
  explicit Median(std::int64_t classes) : classes_(static_cast<std::size_t>(classes)) {}

  [[nodiscard]] bool needs_members() const override { return true; }

  Verdict finish(std::span<const std::int64_t> /*sums*/, std::span<const float> members,
                 std::span<float> fused) const override {
    const bool finite = std::ranges::all_of(members, [](float score) { return std::isfinite(score); });
    if (!finite) return {-1, Reason::score_not_finite};
    std::vector<float> of_class(members.size() / classes_);
    for (std::size_t c = 0; c < classes_; ++c) {
      for (std::size_t k = 0; k < of_class.size(); ++k) of_class[k] = members[k * classes_ + c];
      fused[c] = median_of(of_class);
    }
    return {static_cast<std::int32_t>(std::ranges::max_element(fused) - fused.begin()), Reason::none};
  }

 private:
  std::size_t classes_;
};

}  // namespace

std::unique_ptr<Rule> make_median(const std::vector<double>& /*weights*/, std::int64_t classes) {
  return std::make_unique<Median>(classes);
}

}  // namespace polyhead::fusion
