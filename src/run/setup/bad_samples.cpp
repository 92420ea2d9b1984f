#include "bad_samples.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "polyhead/config/config.hpp"

namespace polyhead::run {
namespace {

constexpr int kMaxDigits = 17;  // digits of a share behind the point

}  // namespace

std::string max_bad_for(std::int64_t count, std::int64_t samples) {
  if (count >= samples) return "100%";
  if (count >= 2) return fmt::format("{}", count);
  const double exact = static_cast<double>(count) / static_cast<double>(samples);
  for (int digits = 1; digits < kMaxDigits; ++digits) {  // 1 would be read as a share
    const double scale = std::pow(10, digits);
    const double share = std::ceil(exact * scale) / scale;
    if (config::BadLimit{share, {}}.of(samples) == count) return fmt::format("{:.{}f}", share, digits);
  }
  return "100%";
}

std::int64_t expected_bad(const BadSamples& bad) {
  if (bad.finished <= 0) return bad.quarantined;
  const double rate = static_cast<double>(bad.quarantined) / static_cast<double>(bad.finished);
  const auto expected = static_cast<std::int64_t>(std::ceil(rate * static_cast<double>(bad.samples) - 1e-6));
  return std::clamp(expected, bad.quarantined, std::max(bad.quarantined, bad.samples));
}

std::string advised_option(const BadSamples& bad) {
  return fmt::format("--set data.max_bad={}", max_bad_for(expected_bad(bad), bad.samples));
}

}  // namespace polyhead::run
