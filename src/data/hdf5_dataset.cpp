#include "hdf5_dataset.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hdf5_images.hpp"
#include "hdf5_labels.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/data/preprocess.hpp"
#include "polyhead/h5/h5.hpp"

namespace polyhead::data {
namespace {

constexpr std::int64_t kDigestedSamples = 64;
constexpr std::int64_t kLabelsAtOnce = std::int64_t{1} << 16U;

/// h5's message lists what the file holds; `option` is what chose the name.
h5::Dataset find(const h5::File& file, const std::string& name, std::string_view option) {
  try {
    return file.dataset(name);
  } catch (const Error& error) {
    const auto near = file.has(name) ? std::nullopt : closest(name, file.list());
    const std::string hint = near ? fmt::format("; did you mean '{}'?", *near) : "";
    throw Error(error.code(), fmt::format("{}{} ({} chooses the dataset)", error.what(), hint, option));
  }
}

std::unique_ptr<Hdf5Labels> find_labels(const h5::File& file, const config::Data& config,
                                        std::int64_t images) {
  const bool optional = config.labels == config::Data{}.labels;
  if (optional && !file.has(config.labels)) return nullptr;
  return std::make_unique<Hdf5Labels>(find(file, config.labels, "data.labels"), images);
}

class Hdf5Dataset : public Dataset {
 public:
  explicit Hdf5Dataset(const config::Data& config) : Hdf5Dataset(config, h5::File::open(config.path)) {}

  [[nodiscard]] std::int64_t size() const override { return images_.size(); }
  [[nodiscard]] ImageShape image_shape() const override { return output_; }
  [[nodiscard]] bool labelled() const override { return labels_ != nullptr; }
  void read_labels(std::int64_t first, std::span<std::int32_t> labels) override;
  [[nodiscard]] std::string sample_id(std::int64_t index) const override { return fmt::to_string(index); }
  void read(std::int64_t first, std::span<float> pixels, std::span<Reason> reasons) override;
  Digest digest() override;
  [[nodiscard]] std::string describe() const override;

 private:
  Hdf5Dataset(const config::Data& config, const h5::File& file);
  void digest_labels(Hasher& hasher);

  std::string file_;
  Hdf5Images images_;
  std::unique_ptr<Hdf5Labels> labels_;
  Preprocessor preprocess_;
  ImageShape output_;
};

ImageShape output_shape(const Preprocessor& preprocess, const Hdf5Images& images) {
  try {
    return preprocess.output(images.shape());
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", images.where(), error.what()));
  }
}

Hdf5Dataset::Hdf5Dataset(const config::Data& config, const h5::File& file)
    : file_(config.path.string()),
      images_(find(file, config.images, "data.images")),
      labels_(find_labels(file, config, images_.size())),
      preprocess_(config.preprocess),
      output_(output_shape(preprocess_, images_)) {}

void Hdf5Dataset::read_labels(std::int64_t first, std::span<std::int32_t> labels) {
  if (labels_) return labels_->read(first, labels);
  std::ranges::fill(labels, -1);
}

void Hdf5Dataset::read(std::int64_t first, std::span<float> pixels, std::span<Reason> reasons) {
  const auto count = static_cast<std::int64_t>(reasons.size());
  if (static_cast<std::int64_t>(pixels.size()) != count * output_.values()) {
    throw Error(ExitCode::internal,
                fmt::format("{}: {} samples are {} values, the buffer has {}", images_.where(), count,
                            count * output_.values(), pixels.size()));
  }
  std::ranges::fill(reasons, Reason::none);
  images_.read(first, count, preprocess_, pixels.data());
}

void Hdf5Dataset::digest_labels(Hasher& hasher) {
  std::vector<std::int32_t> labels;
  for (std::int64_t first = 0; first < size(); first += kLabelsAtOnce) {
    labels.resize(static_cast<std::size_t>(std::min(kLabelsAtOnce, size() - first)));
    read_labels(first, labels);
    hasher.update(std::as_bytes(std::span(labels)));
  }
}

Digest Hdf5Dataset::digest() {
  Hasher hasher;
  hasher.update(std::string_view("hdf5")).update(images_.describe()).update(size());
  hasher.update(std::int64_t{labelled()});
  if (labelled()) digest_labels(hasher);
  const std::int64_t samples = std::min(kDigestedSamples, size());
  for (std::int64_t i = 0; i < samples; ++i) {
    // First and last are among them; the quotient first, since the product may not fit.
    const std::int64_t gaps = std::max<std::int64_t>(1, samples - 1);
    hasher.update(images_.bytes((size() - 1) / gaps * i + (size() - 1) % gaps * i / gaps));
  }
  return hasher.digest();
}

std::string Hdf5Dataset::describe() const {
  return fmt::format("{}: {} images, {}, {}", file_, size(), images_.describe(),
                     labelled() ? "labelled" : "without labels");
}

}  // namespace

std::unique_ptr<Dataset> open_hdf5(const config::Data& config) {
  return std::make_unique<Hdf5Dataset>(config);
}

}  // namespace polyhead::data
