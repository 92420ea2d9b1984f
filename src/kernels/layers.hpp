#pragma once

#include <algorithm>

#include "polyhead/kernels/activations.hpp"

/// How the layers of a ResNet are shared out.
namespace polyhead::kernels {

/// The activations of so many images of the large layers stay in the third-level cache, and give each thread
/// enough to do.
inline int most_together(int threads) {
  return std::max(4, 2 * threads);
}

/// Small planes are computed for the whole batch at once: their weights are what costs memory traffic.
inline bool whole_batch(const ImageDims& dims) {
  constexpr int kSmallPlane = 400;  // pixels
  return dims.height * dims.width <= kSmallPlane;
}

}  // namespace polyhead::kernels
