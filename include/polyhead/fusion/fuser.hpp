#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "polyhead/base/sample.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/fusion/rule.hpp"

namespace polyhead::fusion {

/// Fused answer for one micro-batch of n samples.
struct Fused {
  std::vector<float> scores;             ///< [n, C]: scores by the rule; NaN where quarantined
  std::vector<std::int32_t> prediction;  ///< [n]: class by the rule; -1 where quarantined
  std::vector<Reason> reasons;           ///< [n]: none, or why the sample is quarantined

  /// Quarantines sample `n`: scores NaN, prediction -1.
  void quarantine(std::size_t n, Reason reason);
};

/// Fuses the heads' scores exactly: the same bits for any order and any split of the heads among ranks.
///
/// Works in two steps, so that ranks with different heads can meet in between. `accumulate` adds heads to
/// integer sums; any all-reduce may add the sums of ranks; `finish` turns them into scores.
class Fuser {
 public:
  /// `weights`: one per head of the job; finite and positive.
  Fuser(config::FusionRule rule, const std::vector<double>& weights, std::int64_t classes);

  /// Integers per sample: the width of the rule's sums.
  [[nodiscard]] std::int64_t columns() const { return rule_->width(); }
  /// Whether `finish` needs the scores of all heads.
  [[nodiscard]] bool needs_members() const { return rule_->needs_members(); }

  /// Adds heads [first_head, first_head + k) to `sums` int64 [n, columns()], which start at zero. `logits`:
  /// fp32 [k, rows, C] with rows >= n; rows from n on are padding.
  void accumulate(std::span<const float> logits, std::int64_t first_head, std::int64_t rows,
                  std::span<std::int64_t> sums) const;

  /// `sums`: int64 [samples, columns()], over all heads. `members`: fp32 [samples, K, C], or empty unless the
  /// rule needs them.
  [[nodiscard]] Fused finish(std::span<const std::int64_t> sums, std::int64_t samples,
                             std::span<const float> members) const;

 private:
  std::unique_ptr<const Rule> rule_;
  std::int64_t classes_;
};

/// Data per sample that travel to the rank that fuses it.
struct ExchangeWidth {
  std::int64_t sums = 0;    ///< 64-bit sums, the fuser's `columns()`
  std::int64_t values = 0;  ///< 4-byte values of each head: its prediction and, where wanted, its scores
  bool scores = false;      ///< whether each head's scores are among them
};

/// Width for a job with all its heads.
ExchangeWidth exchange_width(const config::Config& config, std::int64_t classes);

/// Fuser for a job with all its heads.
Fuser make_fuser(const config::Config& config, std::int64_t classes);

/// Class with the largest logit in each of the first n rows, the lowest at a tie. `logits`: fp32 [k, rows,
/// C]; result int32 [n, k]. Rows with NaN get -1.
std::vector<std::int32_t> head_predictions(std::span<const float> logits, std::int64_t heads,
                                           std::int64_t rows, std::int64_t samples);

}  // namespace polyhead::fusion
