#include "open_webdataset.hpp"

#include <utility>

#include <fmt/format.h>

#include "data/encoded/encoded_dataset.hpp"
#include "data/encoded/encoded_reader.hpp"
#include "data/files/relative_path.hpp"
#include "data/index/sample_index_builder.hpp"
#include "webdataset.hpp"

namespace polyhead::data {

std::unique_ptr<Dataset> open_webdataset(const config::Data& config, const std::filesystem::path& index) {
  static_cast<void>(encoded_shape(config));
  const std::string path = absolute_text(config.path);
  const auto shards = shard_paths(path);
  Hasher names;
  for (const std::string& shard : shards) names.update(shard);
  const std::string source = fmt::format("webdataset\n{}\n{} {}", path, shards.size(), names.digest().hex());
  auto samples = list_samples(index, source, "/",
                              [&](SampleIndexBuilder& builder) { scan_webdataset(shards, builder); });
  return encoded_dataset(config, std::move(samples), EncodedKind{"webdataset", ""});
}

bool is_shard_file(const std::string& path, std::int64_t /*size*/) {
  return is_shard_name(path);
}

bool is_shard_pattern(const std::string& path) {
  return path.find('{') != std::string::npos;
}

}  // namespace polyhead::data
