#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "polyhead/base/digest.hpp"
#include "polyhead/h5/h5.hpp"
#include "polyhead/store/result_shape.hpp"
#include "polyhead/store/rows.hpp"
#include "polyhead/store/writer.hpp"

namespace polyhead::store {

/// Progress of a result file.
struct Progress {
  std::int64_t batches_done = 0;
  std::int64_t done = 0;         ///< samples
  std::int64_t quarantined = 0;  ///< samples
  std::int64_t pending = 0;      ///< samples
};

/// The columns of some consecutive samples.
struct Columns {
  std::vector<std::int32_t> labels;            ///< [n]
  std::vector<std::int32_t> fused_prediction;  ///< [n]
  std::vector<std::int32_t> head_prediction;   ///< [n, K]
  std::vector<std::uint8_t> status;            ///< [n]
  std::vector<std::uint8_t> reason;            ///< [n]
};

/// Reads a result file, finished or not.
class Reader {
 public:
  /// Throws Error: no_input, or bad_data when it is not a result file of a known version.
  explicit Reader(const std::filesystem::path& path);

  [[nodiscard]] const Layout& layout() const { return layout_; }
  [[nodiscard]] std::int64_t format_version() const { return version_; }
  /// Ledger with one byte per micro-batch: 0 open, 1 done.
  [[nodiscard]] std::vector<std::uint8_t> ledger() const;
  /// Counts by the ledger: samples of a micro-batch that it does not call done are pending, whatever their
  /// rows say.
  [[nodiscard]] Progress progress() const { return progress(ledger()); }
  /// Counts by another ledger than the file's.
  [[nodiscard]] Progress progress(const std::vector<std::uint8_t>& ledger) const;
  /// Status of samples [first, first + count), committed or not.
  [[nodiscard]] std::vector<std::uint8_t> status(std::int64_t first, std::int64_t count) const;
  /// Rows as they are in the file, committed or not. Throws Error(internal) outside the samples.
  [[nodiscard]] Columns columns(std::int64_t first, std::int64_t count) const;
  /// Rows of one micro-batch, as they were handed to the writer. Throws Error(internal) outside the file.
  [[nodiscard]] Rows rows(std::int64_t batch) const;
  [[nodiscard]] std::vector<std::int32_t> labels(std::int64_t first, std::int64_t count) const;
  /// Entries [first, first + count) of the N + 1 offsets of the ids, unchecked: they need not ascend.
  [[nodiscard]] std::vector<std::uint64_t> id_offsets(std::int64_t first, std::int64_t count) const;
  /// Bytes [begin, end) of all ids; fewer when the file has fewer.
  [[nodiscard]] std::string id_bytes(std::uint64_t begin, std::uint64_t end) const;
  /// Id of a sample. Throws Error: internal outside the samples, bad_data when the file's ids contradict
  /// themselves.
  [[nodiscard]] std::string sample_id(std::int64_t index) const;
  /// Offsets of the datasets that a run writes. Throws Error(bad_data) when a dataset is missing or shares
  /// bytes with another one.
  [[nodiscard]] Offsets offsets() const;
  /// Text of /job: "provenance", "summary", "certificate", "identity", "fingerprint" or "config"; empty when
  /// never written.
  [[nodiscard]] std::string text(const std::string& name) const;
  /// All bytes of such a text's dataset.
  [[nodiscard]] std::string area(const std::string& name) const;
  [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }
  /// Digest over the names, shapes and bytes of all result datasets, as the certificate holds it.
  [[nodiscard]] Digest results_digest() const;

 private:
  h5::File file_;
  Layout layout_;
  std::int64_t version_ = 0;
};

}  // namespace polyhead::store
