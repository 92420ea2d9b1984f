#pragma once

#include <cstdint>
#include <optional>

#include "polyhead/base/sample.hpp"

namespace polyhead::fusion {

/// A head's weighted score as a 64-bit integer, so that sums over heads do not depend on their order: integer
/// addition is associative, floating-point addition is not.
///
/// q = llrint(weight x score x 2^e), e = 42 - ceil(log2 K). With |weight x score| <= 2^20 the sum of K of
/// them stays within 2^62. For 5 heads e = 39: each term is off by at most 2^-40.
class FixedPoint {
 public:
  /// Largest |weight x score| that is exact; a sample with a larger one is quarantined.
  static constexpr double kMax = 1 << 20;

  /// `heads`: K, number of heads of the whole job, at least 1.
  explicit FixedPoint(std::int64_t heads);

  [[nodiscard]] int exponent() const { return exponent_; }
  /// Empty when the product is not finite or beyond `kMax`; `why_not` tells which.
  [[nodiscard]] std::optional<std::int64_t> quantise(double weight, double score) const;
  [[nodiscard]] static Reason why_not(double weight, double score);
  /// sum x 2^-e
  [[nodiscard]] double value(std::int64_t sum) const;

 private:
  int exponent_;
};

}  // namespace polyhead::fusion
