#include "polyhead/fusion/margin.hpp"

#include <algorithm>
#include <limits>

namespace polyhead::fusion {

float margin(std::span<const float> fused) {
  if (fused.size() < 2) return std::numeric_limits<float>::quiet_NaN();
  float best = -std::numeric_limits<float>::infinity();
  float second = best;
  for (const float score : fused) {
    second = std::max(second, std::min(best, score));
    best = std::max(best, score);
  }
  return best - second;
}

}  // namespace polyhead::fusion
