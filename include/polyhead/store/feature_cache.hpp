#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "polyhead/base/digest.hpp"
#include "polyhead/base/sample.hpp"
#include "polyhead/base/wire.hpp"

namespace polyhead::store {

class OutputLock;
class PosixFile;
class ReadFile;

/// Output of the backbone for one micro-batch, and its samples that could not be read.
struct Features {
  std::int64_t batch = 0;       ///< number of the micro-batch
  std::vector<Reason> reasons;  ///< one for each real sample
  std::vector<float> values;    ///< [m, F], padding included

  /// For messages between ranks.
  void put(WireWriter& writer) const;
  /// Reads what `put` wrote. Throws Error(internal) for anything else.
  static Features get(WireReader& reader);
};

/// Size of a cache.
struct FeatureShape {
  std::int64_t samples = 0;  ///< N
  std::int64_t batch = 0;    ///< samples in a micro-batch, m
  std::int64_t width = 0;    ///< values per sample, F
};

/// A file beside the output that keeps features for later jobs, with other heads or another fusion.
///
/// Each micro-batch has a place of its own: a digest, the stamp of its samples' files, then reasons and
/// values. The digest also covers the key and the number of the micro-batch, and is checked at every read. So
/// the digest serves as ledger, and nothing has to be synced. A place that a crash or a disk has spoiled
/// counts as absent.
class FeatureCache {
 public:
  /// Stamp of a micro-batch's files, which shows later changes: a digest over sizes and times of change.
  /// Nothing where no stamp can be taken.
  using StampOf = std::function<std::optional<Digest>(std::int64_t batch)>;

  /// Opens the cache beside `output` whose features depend on `key`, or makes it. The name comes from the
  /// key, and the key's text stands at the file's start. Throws Error where another job holds it, or the disk
  /// lacks room for it and for the space that `output` has not taken yet.
  FeatureCache(const std::filesystem::path& output, const std::string& key, const FeatureShape& shape,
               StampOf stamp);
  ~FeatureCache();
  FeatureCache(const FeatureCache&) = delete;
  FeatureCache& operator=(const FeatureCache&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Number of micro-batches that had features when the cache was opened.
  [[nodiscard]] std::int64_t held() const { return held_; }
  /// Bytes of one micro-batch.
  [[nodiscard]] std::uint64_t stride() const { return stride_; }
  /// Features of a micro-batch, if they are present and sound and its files unchanged. Otherwise its samples
  /// will be read from now on, so the stamp is kept for `write`. Never throws: a cache that cannot be read is
  /// an empty one.
  std::optional<Features> read(std::int64_t batch);
  /// Keeps features, except where the files have no stamp. A failing disk ends the writing, with a warning,
  /// and never the run. Throws Error(internal) for features of another shape.
  void write(const Features& features);
  /// Removes a micro-batch, as if it had never been written.
  void forget(std::int64_t batch);
  /// Number of micro-batches that `read` did not give, since their files have changed.
  [[nodiscard]] std::int64_t outdated() const { return outdated_; }
  /// Number of micro-batches that `read` gave.
  [[nodiscard]] std::int64_t served() const { return served_; }

 private:
  void make();
  std::optional<Features> look_up(std::int64_t batch, const std::optional<Digest>& stamp);
  void check_room(const std::filesystem::path& output) const;
  [[nodiscard]] std::int64_t batches() const { return (shape_.samples + shape_.batch - 1) / shape_.batch; }
  [[nodiscard]] std::size_t samples_of(std::int64_t batch) const;
  [[nodiscard]] std::uint64_t offset_of(std::int64_t batch) const;
  [[nodiscard]] Digest digest_of(std::int64_t batch, std::span<const std::byte> content) const;
  void put(std::int64_t batch, std::span<const std::byte> bytes);
  void warn_once(const std::string& what);

  FeatureShape shape_;
  StampOf stamp_;
  std::map<std::int64_t, std::optional<Digest>> read_now_;  ///< stamps of micro-batches that are under way
  Digest key_;
  std::filesystem::path path_;
  std::uint64_t begin_;   ///< offset of the first micro-batch; the key stands before it
  std::uint64_t stride_;  ///< bytes per micro-batch
  std::unique_ptr<OutputLock> lock_;
  std::unique_ptr<PosixFile> writing_;  ///< null once writing has failed
  std::unique_ptr<ReadFile> reading_;   ///< null where a micro-batch had to be forgotten after that
  std::int64_t held_ = 0;
  std::int64_t served_ = 0;
  std::int64_t outdated_ = 0;
  bool warned_ = false;
};

}  // namespace polyhead::store
