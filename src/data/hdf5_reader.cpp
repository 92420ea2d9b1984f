#include "hdf5_reader.hpp"

#include <algorithm>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include "hdf5_find.hpp"
#include "hdf5_images.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/data/preprocess.hpp"
#include "polyhead/h5/h5.hpp"
#include "same_dataset.hpp"

namespace polyhead::data {
namespace {

constexpr std::int64_t kWholeMicroBatch = 1 << 20;  // one read of many rows is cheaper than many of one

/// HDF5 is not thread-safe in every build; the readers take turns.
std::mutex& turn() {
  static std::mutex mutex;
  return mutex;
}

class Hdf5Reader : public SampleReader {
 public:
  Hdf5Reader(const config::Data& config, const DatasetShape& shape);
  ~Hdf5Reader() override {
    const std::lock_guard lock(turn());
    images_.reset();
  }
  Hdf5Reader(const Hdf5Reader&) = delete;
  Hdf5Reader& operator=(const Hdf5Reader&) = delete;

  void read(std::int64_t first, std::span<const Location> /*locations*/, std::span<float> pixels,
            std::span<Reason> reasons) override;
  [[nodiscard]] std::int64_t grain() const override { return kWholeMicroBatch; }

 private:
  std::int64_t values_;  ///< in one image, preprocessed
  std::optional<Hdf5Images> images_;
  Preprocessor preprocess_;
};

Hdf5Reader::Hdf5Reader(const config::Data& config, const DatasetShape& shape)
    : values_(shape.image.values()), preprocess_(config.preprocess) {
  const std::lock_guard lock(turn());
  images_.emplace(find_hdf5(h5::File::open(config.path), config.images, "data.images"));
  check_same_dataset({images_->size(), images_->output(config.preprocess)}, shape, images_->where());
}

void Hdf5Reader::read(std::int64_t first, std::span<const Location> /*locations*/, std::span<float> pixels,
                      std::span<Reason> reasons) {
  const auto count = static_cast<std::int64_t>(reasons.size());
  if (static_cast<std::int64_t>(pixels.size()) != count * values_) {
    throw Error(ExitCode::internal, fmt::format("{}: {} samples are {} values, the buffer has {}",
                                                images_->where(), count, count * values_, pixels.size()));
  }
  std::ranges::fill(reasons, Reason::none);
  const std::lock_guard lock(turn());
  images_->read(first, count, preprocess_, pixels.data());
}

}  // namespace

std::unique_ptr<SampleReader> open_hdf5_reader(const config::Data& config, const DatasetShape& shape) {
  return std::make_unique<Hdf5Reader>(config, shape);
}

}  // namespace polyhead::data
