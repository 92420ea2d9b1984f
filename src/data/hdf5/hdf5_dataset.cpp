#include "hdf5_dataset.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "data/files/file_stamps.hpp"
#include "hdf5_find.hpp"
#include "hdf5_images.hpp"
#include "hdf5_labels.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/h5/h5.hpp"
#include "polyhead/image/image_names.hpp"

namespace polyhead::data {
namespace {

constexpr std::int64_t kLabelsAtOnce = std::int64_t{1} << 16U;

std::unique_ptr<Hdf5Labels> find_labels(const h5::File& file, const config::Data& config,
                                        std::int64_t images) {
  const bool optional = config.labels == config::Data{}.labels;
  if (optional && !file.has(config.labels)) return nullptr;
  return std::make_unique<Hdf5Labels>(find_hdf5(file, config.labels, "data.labels"), images);
}

class Hdf5Dataset : public Dataset {
 public:
  explicit Hdf5Dataset(const config::Data& config) : Hdf5Dataset(config, h5::File::open(config.path)) {}

  [[nodiscard]] std::int64_t size() const override { return images_.size(); }
  [[nodiscard]] ImageShape image_shape() const override { return output_; }
  [[nodiscard]] bool labelled() const override { return labels_ != nullptr; }
  void read_labels(std::int64_t first, std::span<std::int32_t> labels) override;
  [[nodiscard]] std::string sample_id(std::int64_t index) const override { return fmt::to_string(index); }
  [[nodiscard]] std::vector<Location> locations(std::int64_t /*first*/,
                                                std::int64_t /*count*/) const override {
    return {};
  }
  DatasetDigest digest() override;
  [[nodiscard]] std::vector<std::string> files(std::int64_t /*most*/) const override { return files_; }
  [[nodiscard]] std::optional<Digest> stamps(std::int64_t /*first*/, std::int64_t /*count*/) const override {
    return file_stamps(files_);
  }
  [[nodiscard]] image::ReadingMemory reading_memory() const override {
    return array_memory(images_.piece(), output_);
  }
  [[nodiscard]] std::string describe() const override;

 private:
  Hdf5Dataset(const config::Data& config, const h5::File& file);
  void digest_labels(Hasher& hasher);

  std::string file_;
  Hdf5Images images_;
  std::unique_ptr<Hdf5Labels> labels_;
  ImageShape output_;
  std::vector<std::string> files_;  ///< its own path and those of its sources
};

void warn_of_holes(const h5::Dataset& dataset) {
  const auto chunks = dataset.chunks();
  if (!chunks || chunks->written >= chunks->all) return;
  log::warning(
      fmt::format("{}: {} of {} chunks were never written: their values are the fill value. Was the "
                  "program that made the file ended early?",
                  dataset.where(), chunks->all - chunks->written, chunks->all));
}

/// Paths of all files that hold the dataset's values, except its own.
std::vector<std::string> look_through(const h5::Dataset& dataset) {
  std::vector<std::string> files;
  for (const auto& file : dataset.check_sources()) files.push_back(file.string());
  warn_of_holes(dataset);
  return files;
}

Hdf5Dataset::Hdf5Dataset(const config::Data& config, const h5::File& file)
    : file_(config.path.string()),
      images_(find_hdf5(file, config.images, "data.images")),
      labels_(find_labels(file, config, images_.size())),
      output_(images_.output(config.preprocess)),
      files_(look_through(images_.dataset())) {
  files_.insert(files_.begin(), file_);
  if (labels_) static_cast<void>(look_through(labels_->dataset()));
}

void Hdf5Dataset::read_labels(std::int64_t first, std::span<std::int32_t> labels) {
  if (labels_) return labels_->read(first, labels);
  std::ranges::fill(labels, -1);
}

void Hdf5Dataset::digest_labels(Hasher& hasher) {
  std::vector<std::int32_t> labels;
  for (std::int64_t first = 0; first < size(); first += kLabelsAtOnce) {
    labels.resize(static_cast<std::size_t>(std::min(kLabelsAtOnce, size() - first)));
    read_labels(first, labels);
    hasher.update(std::as_bytes(std::span(labels)));
  }
}

DatasetDigest Hdf5Dataset::digest() {
  Hasher hasher;
  hasher.update(std::string_view("hdf5")).update(images_.describe()).update(size());
  hasher.update(std::int64_t{labelled()});
  if (labelled()) digest_labels(hasher);
  return {hasher.digest(), {}, images_.digests()};
}

std::string Hdf5Dataset::describe() const {
  return fmt::format("{}: {} images, {}, {}", file_, size(), images_.describe(),
                     labelled() ? "labelled" : "without labels");
}

}  // namespace

std::unique_ptr<Dataset> open_hdf5(const config::Data& config, const std::filesystem::path& /*index*/) {
  return std::make_unique<Hdf5Dataset>(config);
}

bool is_hdf5_file(const std::string& path, std::int64_t /*size*/) {
  const std::string name = image::lower(path);
  constexpr std::array<std::string_view, 4> kSuffixes{".h5", ".hdf5", ".hdf", ".he5"};
  if (std::ranges::any_of(kSuffixes, [&](std::string_view suffix) { return name.ends_with(suffix); })) {
    return true;
  }
  constexpr std::string_view kSignature = "\x89HDF\r\n\x1A\n";
  std::array<char, kSignature.size()> start{};
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  return std::string_view(start.data(), start.size()) == kSignature;
}

}  // namespace polyhead::data
