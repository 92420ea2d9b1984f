#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "polyhead/base/sample.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/fusion/fuser.hpp"
#include "polyhead/plan/grid.hpp"
#include "polyhead/store/rows.hpp"

namespace polyhead::run {

/// A micro-batch as its owner remembers it until its rows are finished.
struct MicroBatch {
  std::int64_t index = 0;       ///< its number
  std::int64_t samples = 0;     ///< real ones
  std::vector<Reason> reasons;  ///< [samples]: none, or why the sample could not be read
};

/// What the heads say of one micro-batch, as 64-bit integers: ranks with different heads add their blocks, in
/// any order, and get the same bits.
///
/// A block holds, for m samples, K heads and C classes: the fuser's sums [m, C + 2]; then each head's
/// prediction, int32 [m, K]; then, where they are wanted, each head's scores, fp32 [m, K, C]. The last two
/// are no sums: the rank that has the head writes their bits and all others leave zeros, so that adding puts
/// them together unchanged.
class RowBlock {
 public:
  /// `config`: with all heads of the job. `batch`: m.
  RowBlock(const config::Config& config, std::int64_t classes, std::int64_t batch);

  [[nodiscard]] std::size_t words() const { return scores_ + words_of(head_scores_ ? classes_ : 0); }

  /// Enters heads `range` for the first `samples` samples. `logits`: fp32 [range.count, m, C]; `block`:
  /// [words()], zero at first.
  void add(std::span<const float> logits, plan::HeadRange range, std::int64_t samples,
           std::span<std::int64_t> block) const;

  /// The finished rows, once every head has been added.
  [[nodiscard]] store::Rows rows(std::span<const std::int64_t> block, const MicroBatch& batch) const;

 private:
  [[nodiscard]] std::size_t words_of(std::int64_t values) const;
  void keep_scores(std::span<const float> logits, plan::HeadRange range, std::int64_t samples,
                   std::span<std::byte> scores) const;
  static void blank(store::Rows& rows, std::size_t sample);

  fusion::Fuser fuser_;
  std::int64_t batch_;
  std::int64_t heads_;
  std::int64_t classes_;
  bool head_scores_;
  std::size_t predictions_;  ///< the word at which they begin
  std::size_t scores_;
};

}  // namespace polyhead::run
