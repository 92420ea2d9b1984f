#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "tar.hpp"

namespace polyhead::data {

/// One sample of a WebDataset shard.
struct ShardSample {
  TarEntry image;
  std::int32_t label = -1;
};

/// Counts of what was skipped in shards.
struct Oddities {
  std::int64_t without_image = 0;  ///< number of keys
  std::string first_without_image;
  std::int64_t labels_without_image = 0;  ///< number of those keys that have a label
  std::int64_t hidden = 0;                ///< entries whose base name begins with a dot
  std::string first_hidden;
  std::map<std::string, std::int64_t> unknown;  ///< entries that are no part of a sample, by suffix
  std::int64_t links = 0;
  std::int64_t without_end = 0;  ///< shards without the blocks that mark the end of a tar
  std::int64_t after_end = 0;    ///< shards with non-zero bytes behind those blocks

  /// Counts an unknown suffix. `suffix`: without its dot; empty: none. After `kMaxSuffixes` kinds, others
  /// count as "...".
  void count_unknown(const std::string& suffix);
};
inline constexpr std::size_t kMaxSuffixes = 1000;

/// Lists the samples of a shard. A sample is all files whose names agree up to the first dot after the last
/// slash, wherever they stand in the shard. Samples come in the order in which their keys first appear. The
/// image is KEY with an image's suffix. The label is KEY.cls, or "label", "cls" or "class" in KEY.json. Takes
/// some 200 bytes per key. Throws Error(bad_data) that names the entry, also where a key has two images, or
/// labels that differ.
void scan_shard(const ByteSource& source, const std::string& where, Oddities& oddities,
                const std::function<void(const ShardSample&)>& sample);

}  // namespace polyhead::data
