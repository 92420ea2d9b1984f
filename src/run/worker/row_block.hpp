#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "polyhead/base/sample.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/fusion/fuser.hpp"
#include "polyhead/plan/grid.hpp"
#include "polyhead/store/columns.hpp"
#include "polyhead/store/rows.hpp"

namespace polyhead::run {

/// A micro-batch as its owner keeps it until its rows are finished.
struct MicroBatch {
  std::int64_t index = 0;       ///< its number
  std::int64_t samples = 0;     ///< number of real samples
  std::vector<Reason> reasons;  ///< [samples]: none, or why the sample could not be read
};

/// Results of the heads for one micro-batch, on their way from the ranks that have the heads to the rank that
/// owns the micro-batch. There are m samples, K heads and C classes:
///
/// - sums: 64-bit integers, the fuser's [m, columns()]. Ranks with different heads add theirs, in any order,
///   and get the same bits.
/// - outputs of each rank's own heads R, which are not added up: predictions, int32 [m, R], then, where they
///   are wanted, scores, fp32 [R, m, C].
class RowBlock {
 public:
  /// `config`: with all heads of the job. `batch`: m. `members`: the heads of each rank of the group.
  RowBlock(const config::Config& config, std::int64_t classes, std::int64_t batch,
           std::vector<plan::HeadRange> members);

  /// Number of words in the sums.
  [[nodiscard]] std::size_t words() const;
  /// Bytes of the outputs of one member, and of all.
  [[nodiscard]] std::size_t bytes(std::size_t member) const { return sizes_[member]; }
  [[nodiscard]] std::span<const std::size_t> sizes() const { return sizes_; }
  [[nodiscard]] std::size_t all_bytes() const;

  /// Enters the heads of `member` for the first `samples` samples. `logits`: fp32 [R, m, C]; `sums`: zero at
  /// first; `head_outputs`: [bytes(member)].
  void add(std::span<const float> logits, std::size_t member, std::int64_t samples,
           std::span<std::int64_t> sums, std::span<std::byte> head_outputs) const;

  /// Finished rows, once every head has been added. `head_outputs`: of all members, one after the other.
  [[nodiscard]] store::Rows rows(std::span<const std::int64_t> sums, std::span<const std::byte> head_outputs,
                                 const MicroBatch& batch) const;

 private:
  void take_outputs(std::span<const std::byte> head_outputs, plan::HeadRange heads, store::Rows& rows) const;
  /// Fills in the results of the fusion. `rows` holds the heads' own.
  void fuse(std::span<const std::int64_t> sums, const MicroBatch& batch, store::Rows& rows) const;
  /// Adds the stored measures of uncertainty.
  void measure(store::Rows& rows) const;
  static void blank_sample(store::Rows& rows, std::size_t sample);

  fusion::Fuser fuser_;
  std::int64_t batch_;
  std::int64_t heads_;
  std::int64_t classes_;
  bool head_scores_;  ///< whether scores are kept
  fusion::ExchangeWidth width_;
  std::vector<config::Uncertainty> uncertainty_;
  std::vector<plan::HeadRange> members_;
  std::vector<std::size_t> sizes_;  ///< bytes of outputs per member
};

}  // namespace polyhead::run
