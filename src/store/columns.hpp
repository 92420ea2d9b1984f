#pragma once

#include <cstdint>

#include "extent.hpp"
#include "polyhead/store/result_shape.hpp"
#include "polyhead/store/rows.hpp"
#include "polyhead/store/writer.hpp"

namespace polyhead::store {

/// Throws Error(internal) for rows whose columns don't have the layout's sizes, or, where `rows.rest`, the
/// sizes that are left of them.
void check_rows(const Rows& rows, const Layout& layout, const Offsets& offsets);

/// Calls `visit(name, where, values)` for each column whose rows may be wide: `where` are all its bytes of
/// this micro-batch in the file, `values`, of four bytes each, what `rows` holds of them.
template <class AnyRows, class Visit>
void visit_wide_columns(const Layout& layout, const Offsets& offsets, AnyRows& rows, const Visit& visit) {
  const auto where = [&](std::uint64_t dataset, std::int64_t width) {
    const auto row = static_cast<std::uint64_t>(width) * 4;
    return Extent{dataset + static_cast<std::uint64_t>(rows.batch * layout.batch) * row,
                  static_cast<std::uint64_t>(rows.count) * row};
  };
  const std::int64_t heads = layout.head_count();
  const std::int64_t scores = layout.head_scores ? heads * layout.classes : 0;
  visit("fused_scores", where(offsets.fused_scores, layout.classes), rows.fused_scores);
  visit("head_prediction", where(offsets.head_prediction, heads), rows.head_prediction);
  visit("head_scores", where(offsets.head_scores, scores), rows.head_scores);
}

}  // namespace polyhead::store
