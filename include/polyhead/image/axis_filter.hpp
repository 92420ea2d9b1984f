#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "polyhead/config/config.hpp"

namespace polyhead::image {

/// Consecutive positions along one axis of an image.
struct Range {
  int first = 0;
  int count = 0;
  friend bool operator==(const Range&, const Range&) = default;
};

/// Weights that resize one axis of an image: each pixel is a weighted sum of neighbours in the source. The
/// filters are Pillow's, widened by the scale where the image shrinks (antialiasing):
/// https://pillow.readthedocs.io/en/stable/handbook/concepts.html#filters `Weight` is float, or int32_t for
/// fixed point with `kFractionBits` fractional bits, as Pillow computes on 8-bit images. Positions follow the
/// same models: double for fixed point (Pillow), float for float (PyTorch).
template <class Weight>
class AxisFilter {
 public:
  static constexpr int kFractionBits = 22;

  /// Rebuilds the weights for the positions `window` of an axis of `from` pixels resized to `to`. Memory is
  /// reused. `extent`: part of the source that becomes `to`, when it ends within the last pixel.
  void rebuild(int from, int to, Range window, config::Interpolation interpolation,
               std::optional<double> extent = {});

  /// Number of positions in the window.
  [[nodiscard]] std::size_t size() const { return taps_.size(); }
  /// First source position of the window's position `index`.
  [[nodiscard]] int first(std::size_t index) const { return taps_[index].first; }
  /// Weights of that position, for the source positions from `first` on.
  [[nodiscard]] std::span<const Weight> weights(std::size_t index) const {
    return std::span(weights_).subspan(taps_[index].offset, taps_[index].count);
  }
  /// All source positions that the window needs.
  [[nodiscard]] Range sources() const { return sources_; }

 private:
  using Real = std::conditional_t<std::is_integral_v<Weight>, double, float>;
  struct Taps {
    int first = 0;
    std::size_t count = 0;
    std::size_t offset = 0;  ///< index of its first weight
  };
  void add(int first, std::span<const Real> weights);

  std::vector<Taps> taps_;
  std::vector<Weight> weights_;
  std::vector<Real> exact_;  ///< weights of one position, before rounding
  Range sources_;
};

}  // namespace polyhead::image
