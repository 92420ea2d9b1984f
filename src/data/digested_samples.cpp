#include <algorithm>

#include "polyhead/data/dataset.hpp"

namespace polyhead::data {

std::vector<std::int64_t> spread_samples(std::int64_t size, std::int64_t count) {
  count = std::min(count, size);
  const std::int64_t gaps = std::max<std::int64_t>(1, count - 1);
  std::vector<std::int64_t> samples;
  for (std::int64_t i = 0; i < count; ++i) {
    // Quotient first: the product may not fit.
    samples.push_back((size - 1) / gaps * i + (size - 1) % gaps * i / gaps);
  }
  return samples;
}

std::vector<std::int64_t> digested_samples(std::int64_t size) {
  constexpr std::int64_t kMax = 64;
  return spread_samples(size, kMax);
}

}  // namespace polyhead::data
