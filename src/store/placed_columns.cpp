#include "placed_columns.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/sample.hpp"

namespace polyhead::store {
namespace {

void check_size(const Rows& rows, const char* column, std::size_t found, std::int64_t expected) {
  if (found == static_cast<std::size_t>(expected)) return;
  throw Error(ExitCode::internal, fmt::format("store: micro-batch {}: column {} has {} values, expected {}",
                                              rows.batch, column, found, expected));
}

}  // namespace

Extent pages_of_rank(const RowColumn& column, const Extent& where) {
  return column.axes == Axes::none ? Extent{where.first, 0} : own_pages(where);
}

void check_rows(const Rows& rows, const Layout& layout, const Offsets& offsets) {
  if (rows.batch < 0 || rows.batch >= layout.batches()) {
    throw Error(ExitCode::internal, fmt::format("store: micro-batch {} is outside the {} of this job",
                                                rows.batch, layout.batches()));
  }
  const std::int64_t count = std::min(layout.batch, layout.samples - rows.batch * layout.batch);
  if (rows.count != count) {
    throw Error(ExitCode::internal,
                fmt::format("store: micro-batch {} has {} rows, expected {}", rows.batch, rows.count, count));
  }
  visit_placed(layout, offsets, rows, [&](const RowColumn& column, const Extent& where, const auto& values) {
    const std::uint64_t gone = rows.rest ? pages_of_rank(column, where).count : 0;
    check_size(rows, column.key, values.size(),
               static_cast<std::int64_t>(where.count - gone) / value_bytes(column));
  });
  if (std::count(rows.status.begin(), rows.status.end(), static_cast<std::uint8_t>(SampleStatus::pending)) >
      0) {
    throw Error(ExitCode::internal, fmt::format("store: micro-batch {} has a pending row", rows.batch));
  }
}

}  // namespace polyhead::store
