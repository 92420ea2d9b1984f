#include "polyhead/store/writer.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "placed_columns.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/trace.hpp"

namespace polyhead::store {
namespace {

constexpr std::size_t kShown = 200;  // characters of a note in the log

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

}  // namespace

Writer::Writer(std::unique_ptr<File> file, Layout layout, const Offsets& offsets, const Committed& earlier)
    : file_(std::move(file)),
      layout_(std::move(layout)),
      offsets_(offsets),
      written_(static_cast<std::size_t>(layout_.batches()), false),
      provenance_used_(earlier.provenance_used),
      provenance_dirty_(earlier.provenance_dirty) {
  for (std::size_t batch = 0; batch < earlier.ledger.size(); ++batch) {
    if (earlier.ledger[batch] != 1) continue;
    written_.at(batch) = true;
    ++committed_;
  }
}

void Writer::check_usable() const {
  if (!sync_failed_) return;
  throw Error(
      ExitCode::io_error,
      "the result file was not written to the disk earlier in this run; what was committed before is kept");
}

void Writer::put(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (!bytes.empty()) file_->write(offset, bytes);
}

void Writer::write(const Rows& rows) {
  check_usable();
  check_rows(rows, layout_, offsets_);
  if (written_[static_cast<std::size_t>(rows.batch)]) {
    throw Error(ExitCode::internal, fmt::format("store: micro-batch {} was written before", rows.batch));
  }
  visit_placed(layout_, offsets_, rows,
               [&](const RowColumn& column, const Extent& where, const auto& values) {
                 const Extent others = rows.rest ? pages_of_rank(column, where) : Extent{where.first, 0};
                 const auto before = bytes_of(values).first(others.first - where.first);
                 put(where.first, before);
                 put(others.end(), bytes_of(values).subspan(before.size()));
               });
  written_[static_cast<std::size_t>(rows.batch)] = true;
  if (rows.rest) {
    unsynced_elsewhere_.insert(rows.batch);
  } else {
    pending_.push_back(rows.batch);
  }
}

void Writer::rest_is_synced(std::int64_t batch) {
  if (unsynced_elsewhere_.erase(batch) == 0) {
    throw Error(ExitCode::internal,
                fmt::format("store: micro-batch {} has no pages that another wrote", batch));
  }
  pending_.push_back(batch);
}

void Writer::reopen(std::span<const std::int64_t> batches) {
  write_certificate("");
  write_summary("");
  finish();
  for (const std::int64_t batch : batches) {
    if (!written_.at(static_cast<std::size_t>(batch)) || unsynced_elsewhere_.contains(batch)) {
      throw Error(ExitCode::internal, fmt::format("store: micro-batch {} is not finished", batch));
    }
    const std::byte open{0};
    file_->write(offsets_.ledger + static_cast<std::uint64_t>(batch), std::span(&open, 1));
    written_[static_cast<std::size_t>(batch)] = false;
    --committed_;
  }
  sync();
}

void Writer::sync() {
  check_usable();
  sync_failed_ = true;  // until it has succeeded: the kernel reports a lost page once, so a second try would
                        // seem to succeed
  file_->sync();
  sync_failed_ = false;
}

void Writer::commit() {
  const trace::Span span("commit");
  check_usable();
  if (pending_.empty()) return;
  sync();
  std::sort(pending_.begin(), pending_.end());
  while (!pending_.empty()) {
    // Last run of neighbours: their bytes go in one write.
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
  const std::uint64_t end = provenance_used_ + text.size();
  if (end < provenance_dirty_) text.resize(provenance_dirty_ - provenance_used_, '\0');
  file_->write(offsets_.provenance.offset + provenance_used_, std::as_bytes(std::span(text)));
  provenance_used_ = end;
  provenance_dirty_ = 0;
}

void Writer::write_text(const TextArea& area, std::string_view text) {
  check_usable();
  if (text.size() > area.capacity) {
    throw Error(ExitCode::internal, fmt::format("store: a text of {} bytes does not fit into its area of {}",
                                                text.size(), area.capacity));
  }
  std::string padded(text);
  padded.resize(area.capacity, '\0');  // removes an earlier, longer text
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
