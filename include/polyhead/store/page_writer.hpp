#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "polyhead/store/file.hpp"
#include "polyhead/store/result_shape.hpp"
#include "polyhead/store/rows.hpp"
#include "polyhead/store/writer.hpp"

namespace polyhead::store {

/// Writes rows beside the Writer, from another rank: those pages of a micro-batch that hold nothing else. The
/// rest goes to the Writer. So no page of the file has two writers, however the work is assigned.
class PageWriter {
 public:
  PageWriter(std::unique_ptr<File> file, Layout layout, const Offsets& offsets);

  /// Writes the rows of one micro-batch as far as they fill pages, and returns the rest: all rows where they
  /// fill none, or with `rest` set. Throws Error(io_error); Error(internal) for columns of wrong sizes.
  Rows write(Rows rows);
  /// Number of micro-batches written since the last `sync`.
  [[nodiscard]] std::int64_t unsynced() const { return static_cast<std::int64_t>(unsynced_.size()); }
  /// Syncs all written rows to the disk and returns their micro-batches, for which `Writer::rest_is_synced`
  /// waits. Throws Error(io_error), after which they count as not written.
  std::vector<std::int64_t> sync();
  /// Bytes written so far.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::unique_ptr<File> file_;
  Layout layout_;
  Offsets offsets_;
  std::vector<std::int64_t> unsynced_;
  std::uint64_t bytes_ = 0;
};

}  // namespace polyhead::store
