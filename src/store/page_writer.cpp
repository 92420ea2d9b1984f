#include "polyhead/store/page_writer.hpp"

#include <cstddef>
#include <span>
#include <utility>

#include "placed_columns.hpp"
#include "polyhead/base/error.hpp"

namespace polyhead::store {

PageWriter::PageWriter(std::unique_ptr<File> file, Layout layout, const Offsets& offsets)
    : file_(std::move(file)), layout_(std::move(layout)), offsets_(offsets) {}

Rows PageWriter::write(Rows rows) {
  if (rows.rest) throw Error(ExitCode::internal, "store: these rows are a rest already");
  check_rows(rows, layout_, offsets_);
  visit_placed(layout_, offsets_, rows, [&](const RowColumn& column, const Extent& where, auto& values) {
    const auto value = static_cast<std::uint64_t>(value_bytes(column));
    const Extent own = pages_of_rank(column, where);
    if (own.count == 0) return;
    file_->write(own.first, std::as_bytes(std::span(values)).subspan(own.first - where.first, own.count));
    const auto first = values.begin() + static_cast<std::ptrdiff_t>((own.first - where.first) / value);
    values.erase(first, first + static_cast<std::ptrdiff_t>(own.count / value));
    bytes_ += own.count;
    rows.rest = true;
  });
  if (rows.rest) unsynced_.push_back(rows.batch);
  return rows;
}

std::vector<std::int64_t> PageWriter::sync() {
  std::vector<std::int64_t> batches = std::exchange(unsynced_, {});
  if (!batches.empty()) file_->sync();
  return batches;
}

}  // namespace polyhead::store
