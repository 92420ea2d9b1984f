#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/base/file_descriptor.hpp"
#include "polyhead/store/columns.hpp"
#include "polyhead/store/file.hpp"
#include "polyhead/store/result_shape.hpp"
#include "polyhead/store/rows.hpp"

namespace polyhead::store {

/// Source of the samples' labels and ids while the file is created. Asked in order; for ids twice, first for
/// their lengths.
struct SampleSource {
  /// -1 where unknown.
  std::function<void(std::int64_t first, std::span<std::int32_t> labels)> labels;
  std::function<std::string(std::int64_t index)> id;
};

/// Texts that are known before the first row.
struct Header {
  std::string identity;     ///< JSON object: a digest for each part of what changes results
  std::string fingerprint;  ///< JSON object: what the numbers depend on beside the job
  std::string config;       ///< the whole configuration as YAML
};

/// Treatment of an output file that already exists. `resume`: the run continues it, and it must exist.
/// `resume_if_there`: the run continues it or creates it.
enum class Existing { refuse, overwrite, resume, resume_if_there };

/// A preallocated text of /job.
struct TextArea {
  std::uint64_t offset = 0;    ///< position in the file
  std::uint64_t capacity = 0;  ///< bytes
};

/// Byte offsets of the datasets that are written while running.
struct Offsets {
  std::array<std::uint64_t, kRowColumnCount>
      columns{};  ///< in the order of `kRowColumns`; 0 where there is none
  std::uint64_t ledger = 0;
  TextArea provenance, summary, certificate;

  /// Offset of the column with the dataset `name`.
  [[nodiscard]] std::uint64_t& of(std::string_view name) { return columns.at(column_index(name)); }
  [[nodiscard]] std::uint64_t of(std::string_view name) const { return columns.at(column_index(name)); }
};

/// Committed part of a file that a Writer continues.
struct Committed {
  std::vector<std::uint8_t> ledger;    ///< 1: done; one byte per micro-batch, or empty for a new file
  std::uint64_t provenance_used = 0;   ///< bytes of whole lines
  std::uint64_t provenance_dirty = 0;  ///< end of the bytes that may hold parts of lines after a crash
};

/// Keeps two jobs off one output file: an exclusive lock on `PATH.lock`, held until destruction. (Such a lock
/// on the file itself would keep h5py out.) PATH is the end of the symbolic links. Throws Error(cant_create)
/// that names the holder when it is taken, or when `PATH.lock` is a file of another program. Warns where the
/// file system has no locks.
class OutputLock {
 public:
  explicit OutputLock(const std::filesystem::path& output);
  /// Locks one byte of the file that now has the output's name, if there is one, so that a run under another
  /// name of it (a hard link) is refused. The constructor has locked the file of its time. Throws
  /// Error(cant_create) when another run holds it.
  void hold_file();
  ~OutputLock();
  OutputLock(const OutputLock&) = delete;
  OutputLock& operator=(const OutputLock&) = delete;

 private:
  void hold_file_or_leave();
  void remove() const;
  std::filesystem::path output_;
  std::filesystem::path path_;
  FileDescriptor file_;
  FileDescriptor output_file_;
};

/// Throws Error(cant_create), as `create` would, when the output cannot be created: it exists, or its folder
/// is missing or not writable. `overwrite` replaces a result of polyhead or an empty file, and nothing else.
/// Where a run continues it: Error(no_input) when it is missing, Error(cant_create) when it is not a writable
/// file. Changes nothing.
void check_output(const std::filesystem::path& path, Existing existing);

/// Whether a run with `existing` continues the file under `path`.
bool goes_on(const std::filesystem::path& path, Existing existing);

/// Creates the result file at the end of the symbolic links of `path`; all rows are pending. It is written
/// under a temporary name beside its place, closed, synced and renamed. Parent folders are made. A crash at
/// any moment leaves either the complete empty file or none under `path`. Space is reserved (fallocate) where
/// the file system can. Throws Error(cant_create).
Offsets create(const std::filesystem::path& path, const Layout& layout, const SampleSource& samples,
               const Header& header, Existing existing);

/// Writes rows and the ledger of a new file, or of one that an earlier run has left. A ledger byte is written
/// only after a successful sync that covers its rows. After a failed sync every call throws Error(io_error).
/// Used by one thread.
class Writer {
 public:
  Writer(std::unique_ptr<File> file, Layout layout, const Offsets& offsets, const Committed& earlier = {});

  /// Puts the rows of one micro-batch in their place. Throws Error(internal) for a micro-batch that was
  /// written before, also by an earlier run, or whose columns don't have the layout's sizes.
  void write(const Rows& rows);
  /// Tells that the other part of a micro-batch's rows is on the disk. Rows that were a rest (see PageWriter)
  /// are committed only after that. Throws Error(internal) for any other micro-batch.
  void rest_is_synced(std::int64_t batch);
  /// Opens finished micro-batches again. Certificate and summary, if any, are removed first, then the ledger
  /// bytes, each on the disk before the next step. Afterwards the micro-batches count as never written.
  /// Throws Error(internal) for one that is not finished.
  void reopen(std::span<const std::int64_t> batches);
  /// Syncs the rows so far to the disk, then their ledger bytes. Does nothing when there is nothing new.
  void commit();
  /// Number of micro-batches whose ledger byte is written, by earlier runs as well.
  [[nodiscard]] std::int64_t committed() const;
  /// Number of written micro-batches that could be committed and are not yet.
  [[nodiscard]] std::int64_t uncommitted() const;

  /// Appends one line to /job/provenance. A line that no longer fits is dropped, with a warning: a note must
  /// not end a run.
  void append_provenance(std::string_view line);
  /// Replaces /job/summary or /job/certificate. Throws Error(internal) for a text that is longer than its
  /// area.
  void write_summary(std::string_view json);
  void write_certificate(std::string_view json);
  /// Makes the last commit and syncs it to the disk, ledger included.
  void finish();

 private:
  void write_text(const TextArea& area, std::string_view text);
  void put(std::uint64_t offset, std::span<const std::byte> bytes);
  void sync();
  void check_usable() const;
  std::unique_ptr<File> file_;
  Layout layout_;
  Offsets offsets_;
  std::vector<std::int64_t> pending_;
  std::vector<bool> written_;
  std::set<std::int64_t> unsynced_elsewhere_;
  std::int64_t committed_ = 0;
  std::uint64_t provenance_used_;
  std::uint64_t provenance_dirty_;  ///< the next line overwrites the bytes between
  bool sync_failed_ = false;
};

}  // namespace polyhead::store
