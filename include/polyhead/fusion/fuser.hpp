#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "polyhead/base/sample.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/fusion/fixed_point.hpp"
#include "polyhead/fusion/rules.hpp"

namespace polyhead::fusion {

/// The answer for one micro-batch of n samples.
struct Fused {
  std::vector<float> scores;             ///< [n, C]: the weighted mean; NaN where quarantined
  std::vector<std::int32_t> prediction;  ///< [n]: lowest class with the largest sum; -1 where quarantined
  std::vector<Reason> reasons;           ///< [n]: none, or why the sample is quarantined

  /// Takes sample `n` out: scores NaN, prediction -1.
  void quarantine(std::size_t n, Reason reason);
};

/// Fuses the heads' scores exactly: the same bits for any order and any split of the heads among ranks.
///
/// In two steps, so that ranks with different heads can meet in between: `accumulate` adds heads to integer
/// sums; sums of ranks are added (any all-reduce will do); `finish` turns them into scores.
class Fuser {
 public:
  /// `weights`: of all heads of the job; finite and positive.
  Fuser(config::FusionRule rule, std::vector<double> weights, std::int64_t classes);

  /// Integers a sample: C sums, then the number of heads with a score that is not finite, then with one out
  /// of range.
  [[nodiscard]] std::int64_t columns() const { return classes_ + 2; }

  /// Adds heads [first_head, first_head + k) to `sums` int64 [n, columns()], which start at zero. `logits`:
  /// fp32 [k, rows, C] with rows >= n: what is beyond n is padding.
  void accumulate(std::span<const float> logits, std::int64_t first_head, std::int64_t rows,
                  std::span<std::int64_t> sums) const;

  /// `sums` int64 [n, columns()], of all heads.
  [[nodiscard]] Fused finish(std::span<const std::int64_t> sums) const;

 private:
  void add_row(std::span<const float> logits, double weight, std::span<double> scores,
               std::span<std::int64_t> sums) const;
  Transform transform_;
  std::vector<double> weights_;
  double total_weight_;
  std::int64_t classes_;
  FixedPoint fixed_;
};

/// The class with the largest logit in each of the first n rows, the lowest at a tie. `logits`: fp32 [k,
/// rows, C]; result int32 [n, k]. Rows with NaN get -1.
std::vector<std::int32_t> head_predictions(std::span<const float> logits, std::int64_t heads,
                                           std::int64_t rows, std::int64_t samples);

}  // namespace polyhead::fusion
