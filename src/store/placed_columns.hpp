#pragma once

#include <cstddef>
#include <cstdint>

#include "extent.hpp"
#include "polyhead/store/columns.hpp"
#include "polyhead/store/result_shape.hpp"
#include "polyhead/store/rows.hpp"
#include "polyhead/store/writer.hpp"

namespace polyhead::store {

/// Throws Error(internal) for rows whose columns don't have the layout's sizes, or, where `rows.rest`, the
/// sizes of the rest.
void check_rows(const Rows& rows, const Layout& layout, const Offsets& offsets);

/// Part of a column's bytes that a rank writes by itself: pages of its own. Columns of one value per sample
/// go with the rest, so that a status never precedes its row.
Extent pages_of_rank(const RowColumn& column, const Extent& where);

/// Calls `visit(column, where, values)` for each column. `where`: all its bytes of this micro-batch in the
/// file, none where the layout does not have it. `values`: its values in `rows`.
template <class AnyRows, class Visit>
void visit_placed(const Layout& layout, const Offsets& offsets, AnyRows& rows, const Visit& visit) {
  std::size_t index = 0;
  for_each_column(rows, [&](const RowColumn& column, auto& values) {
    const auto row = static_cast<std::uint64_t>(width_of(layout, column) * value_bytes(column));
    const std::uint64_t first = static_cast<std::uint64_t>(rows.batch * layout.batch) * row;
    visit(column, Extent{offsets.columns[index++] + first, static_cast<std::uint64_t>(rows.count) * row},
          values);
  });
}

}  // namespace polyhead::store
