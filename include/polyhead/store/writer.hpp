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

/// Where the samples' labels and ids come from while the file is created; asked in order, for ids twice over
/// (first for their lengths).
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

/// What happens to an output file that already exists. `resume`: the run goes on with it, and there must be
/// one; `resume_if_there`: it goes on with it or creates it.
enum class Existing { refuse, overwrite, resume, resume_if_there };

/// A preallocated text of /job.
struct TextArea {
  std::uint64_t offset = 0;    ///< in the file
  std::uint64_t capacity = 0;  ///< bytes
};

/// Byte offsets of the datasets that are written while running.
struct Offsets {
  std::array<std::uint64_t, kRowColumnCount>
      columns{};  ///< in the order of `kRowColumns`; 0 where there is none
  std::uint64_t ledger = 0;
  TextArea provenance, summary, certificate;

  /// Of the column that is the dataset `name`.
  [[nodiscard]] std::uint64_t& of(std::string_view name) { return columns.at(column_index(name)); }
  [[nodiscard]] std::uint64_t of(std::string_view name) const { return columns.at(column_index(name)); }
};

/// How far a file is that a Writer goes on with.
struct Committed {
  std::vector<std::uint8_t> ledger;    ///< 1: done; a byte a micro-batch, or none at all for a new file
  std::uint64_t provenance_used = 0;   ///< bytes of whole lines
  std::uint64_t provenance_dirty = 0;  ///< up to there a crash may have left parts of others
};

/// Keeps two jobs off one output file: an exclusive lock on `PATH.lock`, held until destruction. (Such a lock
/// on the file itself would keep h5py out.) PATH is where symbolic links end. Throws Error(cant_create) that
/// names the holder when it is taken, or when `PATH.lock` is a file of another program. Where the file system
/// has no locks, it warns.
class OutputLock {
 public:
  explicit OutputLock(const std::filesystem::path& output);
  /// Locks one byte of the file that now has the output's name, if there is one, so that a run on another
  /// name of it (a hard link) finds out. The constructor has done so to the file of that moment. Throws
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
/// Where a run goes on with it: Error(no_input) when it is missing, Error(cant_create) when it is no file
/// that can be written. Touches nothing.
void check_output(const std::filesystem::path& path, Existing existing);

/// Whether a run that was told `existing` goes on with the file under `path`.
bool goes_on(const std::filesystem::path& path, Existing existing);

/// Creates the result file, where symbolic links of `path` end: written under a temporary name beside that,
/// closed, synced, renamed; all rows pending. Parent folders are made. A crash at any moment leaves either
/// the complete empty file or none under `path`. Space is reserved (fallocate) where the file system can.
/// Throws Error(cant_create).
Offsets create(const std::filesystem::path& path, const Layout& layout, const SampleSource& samples,
               const Header& header, Existing existing);

/// Writes rows and the ledger of a new file, or of one that an earlier run has left. A ledger byte is written
/// only after a successful sync that covers its rows. After a sync that failed every call throws
/// Error(io_error). Used by one thread.
class Writer {
 public:
  Writer(std::unique_ptr<File> file, Layout layout, const Offsets& offsets, const Committed& earlier = {});

  /// Puts the rows of one micro-batch in their place. Throws Error(internal) for one that was written before,
  /// also by an earlier run, or whose columns don't have the layout's sizes.
  void write(const Rows& rows);
  /// Rows that were a rest (see PageWriter) are committed only when it is known that the others are on the
  /// disk: now they are. Throws Error(internal) for any other micro-batch.
  void rest_is_synced(std::int64_t batch);
  /// Opens finished micro-batches again: certificate and summary go first, if there are any, then the ledger
  /// bytes, each on the disk before anything that follows. From then on they count as never written. Throws
  /// Error(internal) for one that is not finished.
  void reopen(std::span<const std::int64_t> batches);
  /// Rows so far to the disk, then their ledger bytes. Does nothing when there is nothing new.
  void commit();
  /// Micro-batches whose ledger byte is written, by earlier runs as well.
  [[nodiscard]] std::int64_t committed() const;
  /// Written and not yet committed, though they could be.
  [[nodiscard]] std::int64_t uncommitted() const;

  /// Appends one line to /job/provenance. When it no longer fits it is dropped, with a warning: nobody should
  /// lose a run over a note.
  void append_provenance(std::string_view line);
  /// Replaces /job/summary, /job/certificate. Throws Error(internal) for a text that is longer than its area.
  void write_summary(std::string_view json);
  void write_certificate(std::string_view json);
  /// Last commit, ledger included, to the disk.
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
  std::uint64_t provenance_dirty_;  ///< what lies between is overwritten by the next line
  bool sync_failed_ = false;
};

}  // namespace polyhead::store
