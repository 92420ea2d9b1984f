#include "cifar.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cifar_file.hpp"
#include "data/files/file_stamps.hpp"
#include "data/same_dataset.hpp"
#include "polyhead/base/error.hpp"

namespace polyhead::data {
namespace {

constexpr std::int64_t kLabelsAtOnce = std::int64_t{1} << 16U;

ImageShape output_of(const config::Data& config, const CifarFile& file) {
  try {
    return image::geometry_of(config.preprocess, CifarFile::kShape).output;
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", file.path(), error.what()));
  }
}

std::vector<Digest> digest_rows(CifarFile& file) {
  std::vector<Digest> digests;
  for (const std::int64_t sample : digested_samples(file.size()))
    digests.push_back(Hasher().update(file.row(sample)).digest());
  return digests;
}

class CifarDataset : public Dataset {
 public:
  explicit CifarDataset(const config::Data& config) : file_(config), shape_(output_of(config, file_)) {}

  [[nodiscard]] std::int64_t size() const override { return file_.size(); }
  [[nodiscard]] ImageShape image_shape() const override { return shape_; }
  [[nodiscard]] bool labelled() const override { return true; }
  [[nodiscard]] std::vector<std::string> class_names() const override { return file_.class_names(); }
  void read_labels(std::int64_t first, std::span<std::int32_t> labels) override {
    file_.read_labels(first, labels);
  }
  [[nodiscard]] std::string sample_id(std::int64_t index) const override { return fmt::to_string(index); }
  [[nodiscard]] std::vector<Location> locations(std::int64_t /*first*/,
                                                std::int64_t /*count*/) const override {
    return {};
  }
  DatasetDigest digest() override;
  [[nodiscard]] std::vector<std::string> files(std::int64_t /*most*/) const override {
    return {file_.path()};
  }
  [[nodiscard]] std::optional<Digest> stamps(std::int64_t /*first*/, std::int64_t /*count*/) const override {
    return file_stamps(files(1));
  }
  [[nodiscard]] image::ReadingMemory reading_memory() const override {
    return array_memory({2 * CifarFile::kShape.values(), 0, CifarFile::kShape, 1}, shape_);
  }
  [[nodiscard]] std::string describe() const override {
    return fmt::format("{}: {} images, {}, labelled", file_.path(), size(), name());
  }

 private:
  [[nodiscard]] std::string_view name() const { return file_.fine() ? "cifar100" : "cifar10"; }

  CifarFile file_;
  ImageShape shape_;
};

DatasetDigest CifarDataset::digest() {
  Hasher hasher;
  hasher.update(name()).update(size());
  std::vector<std::int32_t> labels;
  for (std::int64_t first = 0; first < size(); first += kLabelsAtOnce) {
    labels.resize(static_cast<std::size_t>(std::min(kLabelsAtOnce, size() - first)));
    read_labels(first, labels);
    hasher.update(std::as_bytes(std::span(labels)));
  }
  return {hasher.digest(), {}, digest_rows(file_)};
}

class CifarReader : public SampleReader {
 public:
  CifarReader(const config::Data& config, const DatasetShape& shape)
      : file_(config), preprocess_(config.preprocess), values_(shape.image.values()) {
    check_same_dataset({file_.size(), output_of(config, file_)}, shape, file_.path());
  }

  void read(std::int64_t first, std::span<const Location> /*locations*/, std::span<float> pixels,
            std::span<Reason> reasons) override {
    read_as(first, pixels, reasons);
  }
  [[nodiscard]] bool gives_bytes() const override { return true; }
  void read_bytes(std::int64_t first, std::span<const Location> /*locations*/, std::span<std::uint8_t> pixels,
                  std::span<Reason> reasons) override {
    read_as(first, pixels, reasons);
  }
  [[nodiscard]] std::int64_t grain() const override { return 16; }

 private:
  template <class Value>
  void read_as(std::int64_t first, std::span<Value> pixels, std::span<Reason> reasons);

  CifarFile file_;
  image::Preprocessor preprocess_;
  std::int64_t values_;  ///< values per image, preprocessed
};

template <class Value>
void CifarReader::read_as(std::int64_t first, std::span<Value> pixels, std::span<Reason> reasons) {
  const auto count = static_cast<std::int64_t>(reasons.size());
  if (static_cast<std::int64_t>(pixels.size()) != count * values_) {
    throw Error(ExitCode::internal, fmt::format("{}: {} samples are {} values, the buffer has {}",
                                                file_.path(), count, count * values_, pixels.size()));
  }
  std::ranges::fill(reasons, Reason::none);
  for (std::int64_t i = 0; i < count; ++i) preprocess_(file_.image(first + i), &pixels[i * values_]);
}

}  // namespace

std::unique_ptr<Dataset> open_cifar(const config::Data& config, const std::filesystem::path& /*index*/) {
  return std::make_unique<CifarDataset>(config);
}

std::vector<Digest> digest_cifar(const config::Data& config, const DatasetShape& shape,
                                 std::span<const Location> /*places*/) {
  CifarFile file(config);
  check_same_dataset({file.size(), output_of(config, file)}, shape, file.path());
  return digest_rows(file);
}

std::unique_ptr<SampleReader> open_cifar_reader(const config::Data& config, const DatasetShape& shape) {
  return std::make_unique<CifarReader>(config, shape);
}

bool is_cifar10_file(const std::string& path, std::int64_t size) {
  const std::int64_t row = 1 + CifarFile::kShape.values();
  const std::string_view name = std::string_view(path).substr(path.find_last_of('/') + 1);
  return name.ends_with(".bin") && name.find("batch") != std::string_view::npos && size > 0 &&
         size % row == 0;
}

bool marks_cifar10(std::string_view name) {
  return name == kCifar10Test;
}

bool marks_cifar100(std::string_view name) {
  return name == kCifar100Test;
}

}  // namespace polyhead::data
