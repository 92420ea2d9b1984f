#include "polyhead/image/axis_filter.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>

namespace polyhead::image {
namespace {

/// Shape of a filter at scale 1: zero from `reach` on.
template <class Real>
struct Kernel {
  Real reach;
  Real (*weight)(Real distance);
};

template <class Real>
Real triangle(Real distance) {
  const Real x = std::abs(distance);
  return x < 1 ? 1 - x : 0;
}

/// Keys' cubic with a = -1/2. The order of operations is Pillow's: the bits depend on it.
template <class Real>
Real cubic(Real distance) {
  constexpr Real kA = -0.5;
  const Real x = std::abs(distance);
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0;
}

template <class Real>
Kernel<Real> kernel_of(config::Interpolation interpolation) {
  if (interpolation == config::Interpolation::bicubic) return {2, cubic<Real>};
  return {1, triangle<Real>};
}

/// Rounds as Pillow and PyTorch do, halves included: the bits depend on it.
int rounded_position(double edge) {
  return static_cast<int>(edge + 0.5);  // NOLINT(bugprone-incorrect-roundings)
}

/// A filter on a source axis of `from` pixels.
template <class Real>
struct Placed {
  Kernel<Real> kernel;
  Real scale;    // source pixels per pixel of the result
  Real stretch;  // factor that widens the kernel
  int from;

  [[nodiscard]] Real center(int position) const { return static_cast<Real>((position + 0.5) * scale); }
  [[nodiscard]] int begin(Real center) const {
    return std::max(0, rounded_position(center - kernel.reach * stretch));
  }
  [[nodiscard]] int end(Real center) const {
    return std::min(from, rounded_position(center + kernel.reach * stretch));
  }
};

/// Weights of the source pixels from `first` on, summing to 1.
template <class Real>
void weigh(const Placed<Real>& filter, Real center, int first, std::vector<Real>& weights) {
  const Real shrink = 1 / filter.stretch;
  Real sum = 0;
  int source = first;
  for (Real& weight : weights) {
    weight = filter.kernel.weight(static_cast<Real>((source++ - center + 0.5) * shrink));
    sum += weight;
  }
  if (sum == 0) return;
  for (Real& weight : weights) weight /= sum;
}

template <class Weight>
Weight rounded(double weight) {
  if constexpr (std::is_integral_v<Weight>) {
    const double fixed = weight * (1 << AxisFilter<Weight>::kFractionBits);
    return static_cast<Weight>(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
  } else {
    return static_cast<Weight>(weight);
  }
}

}  // namespace

template <class Weight>
void AxisFilter<Weight>::add(int first, std::span<const Real> weights) {
  taps_.push_back({first, weights.size(), weights_.size()});
  for (const Real weight : weights) weights_.push_back(rounded<Weight>(weight));
}

template <class Weight>
void AxisFilter<Weight>::rebuild(int from, int to, Range window, config::Interpolation interpolation,
                                 std::optional<double> extent) {
  const Real scale = static_cast<Real>(extent.value_or(from)) / to;
  const Placed<Real> filter{kernel_of<Real>(interpolation), scale, std::max<Real>(1, scale), from};
  taps_.clear();
  weights_.clear();
  int last = 0;
  for (int position = window.first; position < window.first + window.count; ++position) {
    const Real center = filter.center(position);
    const int first = filter.begin(center);
    last = filter.end(center);
    exact_.resize(static_cast<std::size_t>(last - first));
    weigh<Real>(filter, center, first, exact_);
    add(first, exact_);
  }
  const int begin = taps_.empty() ? 0 : taps_.front().first;
  sources_ = {begin, last - begin};
}

template class AxisFilter<float>;
template class AxisFilter<std::int32_t>;

}  // namespace polyhead::image
