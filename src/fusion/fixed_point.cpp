#include "polyhead/fusion/fixed_point.hpp"

#include <bit>
#include <cmath>

#include "polyhead/base/error.hpp"

namespace polyhead::fusion {

FixedPoint::FixedPoint(std::int64_t heads) {
  if (heads < 1) throw Error(ExitCode::internal, "fusion needs at least one head");
  exponent_ = 42 - std::bit_width(static_cast<std::uint64_t>(heads - 1));  // bit_width(K - 1) = ceil(log2 K)
}

std::optional<std::int64_t> FixedPoint::quantise(double weight, double score) const {
  const double product = weight * score;
  if (!(std::abs(product) <= kMax)) return std::nullopt;  // also false for NaN
  return std::llrint(std::ldexp(product, exponent_));
}

Reason FixedPoint::why_not(double weight, double score) {
  const double product = weight * score;
  if (!std::isfinite(score)) return Reason::score_not_finite;
  return std::abs(product) <= kMax ? Reason::none : Reason::score_out_of_range;
}

double FixedPoint::value(std::int64_t sum) const {
  return std::ldexp(static_cast<double>(sum), -exponent_);
}

}  // namespace polyhead::fusion
