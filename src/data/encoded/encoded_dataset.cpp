#include "encoded_dataset.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "data/files/file_stamps.hpp"
#include "data/files/sample_bytes.hpp"
#include "data/index/sample_index_builder.hpp"
#include "encoded_reader.hpp"

namespace polyhead::data {
namespace {

class EncodedDataset : public Dataset {
 public:
  EncodedDataset(const config::Data& config, SampleIndex index, EncodedKind kind)
      : path_(config.path.native()),
        max_file_size_(config.max_file_size),
        shape_(encoded_shape(config)),
        memory_(image::encoded_memory(config)),
        index_(std::move(index)),
        kind_(std::move(kind)) {}

  [[nodiscard]] std::int64_t size() const override { return index_.size(); }
  [[nodiscard]] ImageShape image_shape() const override { return shape_; }
  [[nodiscard]] bool labelled() const override { return index_.labelled() > 0; }
  [[nodiscard]] std::vector<std::string> class_names() const override { return index_.class_names(); }
  void read_labels(std::int64_t first, std::span<std::int32_t> labels) override {
    for (std::int32_t& label : labels) label = index_.entry(first++).label;
  }
  [[nodiscard]] std::string sample_id(std::int64_t index) const override {
    const IndexEntry& entry = index_.entry(index);
    std::string id(index_.file(entry.file).prefix);  // built once per sample, of which there are very many
    return id.append(index_.name(entry));
  }
  [[nodiscard]] std::vector<Location> locations(std::int64_t first, std::int64_t count) const override {
    std::vector<Location> locations;
    locations.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = first; i < first + count; ++i) locations.push_back(location(i));
    return locations;
  }
  DatasetDigest digest() override;
  [[nodiscard]] std::vector<std::string> files(std::int64_t most) const override;
  [[nodiscard]] std::optional<Digest> stamps(std::int64_t first, std::int64_t count) const override;
  [[nodiscard]] image::ReadingMemory reading_memory() const override { return memory_; }
  [[nodiscard]] std::string describe() const override;

 private:
  [[nodiscard]] Location location(std::int64_t index) const;
  [[nodiscard]] bool in_shards() const { return kind_.base.empty(); }

  std::string path_;
  std::uint64_t max_file_size_;
  ImageShape shape_;
  image::ReadingMemory memory_;
  SampleIndex index_;
  EncodedKind kind_;
};

Location EncodedDataset::location(std::int64_t index) const {
  if (!in_shards()) return {within(kind_.base, sample_id(index))};
  const IndexEntry& entry = index_.entry(index);
  return {std::string(index_.file(entry.file).path), entry.offset, entry.size};
}

DatasetDigest EncodedDataset::digest() {
  std::vector<Location> places;
  for (const std::int64_t sample : digested_samples(size())) places.push_back(location(sample));
  return {Hasher().update(kind_.name).update(size()).update(index_.digest().hex()).digest(), index_.places(),
          digest_places(places, max_file_size_)};
}

std::vector<std::string> EncodedDataset::files(std::int64_t most) const {
  std::vector<std::string> paths;
  if (in_shards()) {
    for (std::uint64_t i = 0; i < index_.files(); ++i) paths.emplace_back(index_.file(i).path);
    return paths;
  }
  for (const std::int64_t sample : spread_samples(size(), most)) paths.push_back(location(sample).path);
  return paths;
}

/// Stamp of a shard once for all neighbours that lie in it.
std::optional<Digest> EncodedDataset::stamps(std::int64_t first, std::int64_t count) const {
  Hasher hasher;
  std::string last;
  for (std::int64_t i = first; i < first + count; ++i) {
    std::string path = location(i).path;
    if (path == last) continue;
    if (!add_file_stamp(hasher, path)) return std::nullopt;
    last = std::move(path);
  }
  return hasher.digest();
}

std::string EncodedDataset::describe() const {
  const std::size_t classes = index_.class_names().size();
  const std::string labels = classes > 0  ? fmt::format("{} classes", classes)
                             : labelled() ? "labelled"
                                          : "without labels";
  const std::string shards = in_shards() ? fmt::format(" in {} shard(s)", index_.files()) : "";
  return fmt::format("{}: {} images{}, {}, {}", path_, size(), shards, kind_.name, labels);
}

}  // namespace

std::unique_ptr<Dataset> encoded_dataset(const config::Data& config, SampleIndex index, EncodedKind kind) {
  return std::make_unique<EncodedDataset>(config, std::move(index), std::move(kind));
}

}  // namespace polyhead::data
