#include "polyhead/store/writer.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/sample.hpp"

namespace polyhead::store {
namespace {

constexpr std::size_t kShown = 200;  // characters of a note in the log

void check_size(const Rows& rows, const char* column, std::size_t found, std::int64_t expected) {
  if (found == static_cast<std::size_t>(expected)) return;
  throw Error(ExitCode::internal, fmt::format("store: micro-batch {}: column {} has {} values, expected {}",
                                              rows.batch, column, found, expected));
}

void check_rows(const Rows& rows, const Layout& layout) {
  if (rows.batch < 0 || rows.batch >= layout.batches()) {
    throw Error(ExitCode::internal, fmt::format("store: micro-batch {} is outside the {} of this job",
                                                rows.batch, layout.batches()));
  }
  const std::int64_t count = std::min(layout.batch, layout.samples - rows.batch * layout.batch);
  if (rows.count != count) {
    throw Error(ExitCode::internal,
                fmt::format("store: micro-batch {} has {} rows, expected {}", rows.batch, rows.count, count));
  }
  const std::int64_t heads = layout.head_count();
  check_size(rows, "fused_scores", rows.fused_scores.size(), count * layout.classes);
  check_size(rows, "fused_prediction", rows.fused_prediction.size(), count);
  check_size(rows, "head_prediction", rows.head_prediction.size(), count * heads);
  check_size(rows, "head_scores", rows.head_scores.size(),
             layout.head_scores ? count * heads * layout.classes : 0);
  check_size(rows, "status", rows.status.size(), count);
  check_size(rows, "reason", rows.reason.size(), count);
  if (std::count(rows.status.begin(), rows.status.end(), static_cast<std::uint8_t>(SampleStatus::pending)) >
      0) {
    throw Error(ExitCode::internal, fmt::format("store: micro-batch {} has a pending row", rows.batch));
  }
}

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

}  // namespace

Writer::Writer(std::unique_ptr<File> file, Layout layout, const Offsets& offsets)
    : file_(std::move(file)),
      layout_(std::move(layout)),
      offsets_(offsets),
      written_(static_cast<std::size_t>(layout_.batches()), false) {}

void Writer::check_usable() const {
  if (!sync_failed_) return;
  throw Error(
      ExitCode::io_error,
      "the result file was not written to the disk earlier in this run; what was committed before is kept");
}

void Writer::put(std::uint64_t dataset, std::int64_t first, std::span<const std::byte> rows,
                 std::int64_t count) {
  const std::uint64_t row = rows.size() / static_cast<std::uint64_t>(count);
  if (!rows.empty()) file_->write(dataset + static_cast<std::uint64_t>(first) * row, rows);
}

void Writer::write(const Rows& rows) {
  check_usable();
  check_rows(rows, layout_);
  if (written_[static_cast<std::size_t>(rows.batch)]) {
    throw Error(ExitCode::internal, fmt::format("store: micro-batch {} was written before", rows.batch));
  }
  const std::int64_t first = rows.batch * layout_.batch;
  put(offsets_.fused_scores, first, bytes_of(rows.fused_scores), rows.count);
  put(offsets_.fused_prediction, first, bytes_of(rows.fused_prediction), rows.count);
  put(offsets_.head_prediction, first, bytes_of(rows.head_prediction), rows.count);
  put(offsets_.head_scores, first, bytes_of(rows.head_scores), rows.count);
  put(offsets_.status, first, bytes_of(rows.status), rows.count);
  put(offsets_.reason, first, bytes_of(rows.reason), rows.count);
  written_[static_cast<std::size_t>(rows.batch)] = true;
  pending_.push_back(rows.batch);
}

void Writer::sync() {
  check_usable();
  sync_failed_ = true;  // until it has succeeded: the kernel reports a lost page once, a second try would lie
  file_->sync();
  sync_failed_ = false;
}

void Writer::commit() {
  check_usable();
  if (pending_.empty()) return;
  sync();
  std::sort(pending_.begin(), pending_.end());
  while (!pending_.empty()) {
    // The last run of neighbours: their bytes go in one write.
    auto first = std::prev(pending_.end());
    while (first != pending_.begin() && *std::prev(first) == *first - 1) --first;
    const std::vector<std::byte> done(static_cast<std::size_t>(pending_.end() - first), std::byte{1});
    file_->write(offsets_.ledger + static_cast<std::uint64_t>(*first), done);
    committed_ += static_cast<std::int64_t>(done.size());
    pending_.erase(first, pending_.end());
  }
}

std::int64_t Writer::committed() const {
  return committed_;
}

std::int64_t Writer::uncommitted() const {
  return static_cast<std::int64_t>(pending_.size());
}

void Writer::append_provenance(std::string_view line) {
  check_usable();
  std::string text(line);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\0'; }, ' ');
  text += '\n';
  if (text.size() > offsets_.provenance.capacity - provenance_used_) {
    log::warning(
        fmt::format("/job/provenance of the result file is full; not noted: {}", line.substr(0, kShown)));
    return;
  }
  file_->write(offsets_.provenance.offset + provenance_used_, std::as_bytes(std::span(text)));
  provenance_used_ += text.size();
}

void Writer::write_text(const TextArea& area, std::string_view text) {
  check_usable();
  if (text.size() > area.capacity) {
    throw Error(ExitCode::internal, fmt::format("store: a text of {} bytes does not fit into its area of {}",
                                                text.size(), area.capacity));
  }
  std::string padded(text);
  padded.resize(area.capacity, '\0');  // an earlier, longer text goes
  file_->write(area.offset, std::as_bytes(std::span(padded)));
}

void Writer::write_summary(std::string_view json) {
  write_text(offsets_.summary, json);
}

void Writer::write_certificate(std::string_view json) {
  write_text(offsets_.certificate, json);
}

void Writer::finish() {
  commit();
  sync();
}

}  // namespace polyhead::store
