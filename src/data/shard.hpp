#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "tar.hpp"

namespace polyhead::data {

/// One sample of a WebDataset shard.
struct ShardSample {
  TarEntry image;
  std::int32_t label = -1;
};

/// What was passed over in shards.
struct Oddities {
  std::int64_t without_image = 0;
  std::string first_without_image;
  std::int64_t links = 0;
  std::int64_t without_end = 0;  ///< shards without the blocks that mark a tar's end
};

/// Throws Error(bad_data) for an entry that is in a shard twice.
[[noreturn]] void refuse_twice(const std::string& where, std::string_view name);

/// Lists the samples of a shard: successive files whose names are the same up to the first dot after the last
/// slash. The image is KEY.jpg, KEY.jpeg or KEY.png, in this order of preference; the label KEY.cls, or else
/// "label", "cls" or "class" in KEY.json. Throws Error(bad_data) that names the entry, also where a group has
/// two of a kind.
void scan_shard(const ByteSource& source, const std::string& where, Oddities& oddities,
                const std::function<void(const ShardSample&)>& sample);

}  // namespace polyhead::data
