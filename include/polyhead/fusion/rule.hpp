#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "polyhead/base/sample.hpp"
#include "polyhead/config/fusion_rule.hpp"

namespace polyhead::fusion {

/// A rule's decision about one sample.
struct Verdict {
  std::int32_t prediction = -1;  ///< class; valid only without a reason
  Reason reason = Reason::none;  ///< why the sample is quarantined, or none
};

/// Rule that turns the heads' scores into one answer. `make_rule` makes one for a job with K heads and C
/// classes.
///
/// A rule adds heads to integer sums on the ranks that have them, or asks for the scores of all heads in one
/// place, or both. Either way the answer must depend only on the scores and the heads' numbers. That keeps
/// the result the same on any number of ranks.
class Rule {
 public:
  virtual ~Rule() = default;

  /// Number of 64-bit sums per sample; 0: the rule has no sums.
  [[nodiscard]] virtual std::int64_t width() const { return 0; }
  /// Whether `finish` needs the scores of all heads.
  [[nodiscard]] virtual bool needs_members() const { return false; }

  /// Adds the scores of head number `head`, fp32 [n, C], to `sums` int64 [n, width()].
  virtual void add(std::int64_t /*head*/, std::span<const float> /*scores*/,
                   std::span<std::int64_t> /*sums*/) const {}

  /// Finishes one sample. `sums`: int64 [width()], over all heads. `members`: fp32 [K, C]; may be empty
  /// unless the rule needs them. Writes `fused`, fp32 [C], unless the sample is quarantined.
  virtual Verdict finish(std::span<const std::int64_t> sums, std::span<const float> members,
                         std::span<float> fused) const = 0;
};

/// Rule for heads with these weights. Throws Error(config) for weights that are not positive and finite.
std::unique_ptr<Rule> make_rule(config::FusionRule rule, const std::vector<double>& weights,
                                std::int64_t classes);

/// Whether the rule's bits depend on the C library's exp().
bool calls_exp(config::FusionRule rule);

}  // namespace polyhead::fusion
