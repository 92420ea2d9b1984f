#include "columns.hpp"

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
  visit_wide_columns(layout, offsets, rows, [&](const char* column, const Extent& where, const auto& values) {
    const std::uint64_t gone = rows.rest ? own_pages(where).count : 0;
    check_size(rows, column, values.size(), static_cast<std::int64_t>((where.count - gone) / 4));
  });
  check_size(rows, "fused_prediction", rows.fused_prediction.size(), count);
  check_size(rows, "status", rows.status.size(), count);
  check_size(rows, "reason", rows.reason.size(), count);
  if (std::count(rows.status.begin(), rows.status.end(), static_cast<std::uint8_t>(SampleStatus::pending)) >
      0) {
    throw Error(ExitCode::internal, fmt::format("store: micro-batch {} has a pending row", rows.batch));
  }
}

}  // namespace polyhead::store
