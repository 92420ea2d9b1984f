#include "weights.hpp"

#include <algorithm>

namespace polyhead::kernels {

void Weights::write(std::span<const float> weight, std::span<const float> bias, std::span<float> to) const {
  std::ranges::fill(to, 0.0F);  // where the last panel has no channels
  std::ranges::copy(bias, to.begin());
  const WeightTransform g = weight_transform(scheme_);
  const int slots_along = slots();
  const float* taps = weight.data();
  for (int k = 0; k < out_; ++k) {
    for (int c = 0; c < in_; ++c, taps += g.taps * g.taps) {
      double half[kMaxPoints + 1][kTile] = {};  // G g
      for (int s = 0; s < slots_along; ++s) {
        for (int y = 0; y < g.taps; ++y) {
          for (int x = 0; x < g.taps; ++x) half[s][x] += g.from_tap[s][y] * taps[y * g.taps + x];
        }
      }
      const std::ptrdiff_t place = std::ptrdiff_t{c} * panel_ + k % panel_;
      for (int s = 0; s < slots_along * slots_along; ++s) {
        double sum = 0;
        for (int x = 0; x < g.taps; ++x) sum += g.from_tap[s % slots_along][x] * half[s / slots_along][x];
        to[static_cast<std::size_t>(at(s, k / panel_) + place)] = static_cast<float>(sum);
      }
    }
  }
}

}  // namespace polyhead::kernels
