#include "weights.hpp"

namespace polyhead::kernels {

Weights::Weights(Scheme scheme, int in, int out, int panel, std::span<const float> weight)
    : in_(in), panel_(panel), panels_((out + panel - 1) / panel) {
  const WeightTransform g = weight_transform(scheme);
  buffer_ =
      Buffer(static_cast<std::size_t>(g.slots * g.slots) * static_cast<std::size_t>(in * panels_ * panel));
  const float* taps = weight.data();
  for (int k = 0; k < out; ++k) {
    for (int c = 0; c < in; ++c, taps += g.taps * g.taps) {
      double half[kMostPoints + 1][kTile] = {};  // G g
      for (int s = 0; s < g.slots; ++s) {
        for (int y = 0; y < g.taps; ++y) {
          for (int x = 0; x < g.taps; ++x) half[s][x] += g.from_tap[s][y] * taps[y * g.taps + x];
        }
      }
      const int chunk = c / kChunk;
      const std::ptrdiff_t place = std::ptrdiff_t{c % kChunk} * panel + k % panel;
      for (int s = 0; s < g.slots * g.slots; ++s) {
        double sum = 0;
        for (int x = 0; x < g.taps; ++x) sum += g.from_tap[s % g.slots][x] * half[s / g.slots][x];
        buffer_.data()[at(s, chunk, k / panel) + place] = static_cast<float>(sum);
      }
    }
  }
}

}  // namespace polyhead::kernels
