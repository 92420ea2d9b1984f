#pragma once

#include <algorithm>
#include <cstdint>

namespace polyhead::data {

inline constexpr std::int64_t kDigestedSamples = 64;

/// Calls `use` with the numbers of up to `kDigestedSamples` of `size` samples, the first and the last among
/// them.
template <class Use>
void for_spread_samples(std::int64_t size, Use use) {
  const std::int64_t samples = std::min(kDigestedSamples, size);
  const std::int64_t gaps = std::max<std::int64_t>(1, samples - 1);
  for (std::int64_t i = 0; i < samples; ++i) {
    // The quotient first, since the product may not fit.
    use((size - 1) / gaps * i + (size - 1) % gaps * i / gaps);
  }
}

}  // namespace polyhead::data
