#include "hdf5_reader.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "data/same_dataset.hpp"
#include "hdf5_find.hpp"
#include "hdf5_images.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/h5/h5.hpp"
#include "polyhead/image/preprocess.hpp"

namespace polyhead::data {
namespace {

class Hdf5Reader : public SampleReader {
 public:
  Hdf5Reader(const config::Data& config, const DatasetShape& shape, Hdf5Turn& turn);
  ~Hdf5Reader() override {
    const std::lock_guard lock(turn_);
    images_.reset();
  }
  Hdf5Reader(const Hdf5Reader&) = delete;
  Hdf5Reader& operator=(const Hdf5Reader&) = delete;

  void read(std::int64_t first, std::span<const Location> /*locations*/, std::span<float> pixels,
            std::span<Reason> reasons) override {
    read_as(first, pixels, reasons);
  }
  [[nodiscard]] bool gives_bytes() const override { return images_->are_bytes(); }
  void read_bytes(std::int64_t first, std::span<const Location> locations, std::span<std::uint8_t> pixels,
                  std::span<Reason> reasons) override {
    if (!gives_bytes()) return SampleReader::read_bytes(first, locations, pixels, reasons);
    read_as(first, pixels, reasons);
  }
  [[nodiscard]] std::int64_t grain() const override { return images_->slice(); }

 private:
  template <class Value>
  void read_as(std::int64_t first, std::span<Value> pixels, std::span<Reason> reasons);

  std::int64_t values_;  ///< values per image, preprocessed
  Hdf5Turn& turn_;
  std::optional<Hdf5Images> images_;
  image::Preprocessor preprocess_;
};

Hdf5Reader::Hdf5Reader(const config::Data& config, const DatasetShape& shape, Hdf5Turn& turn)
    : values_(shape.image.values()), turn_(turn), preprocess_(config.preprocess) {
  const std::lock_guard lock(turn_);
  images_.emplace(find_hdf5(h5::File::open(config.path), config.images, "data.images"));
  check_same_dataset({images_->size(), images_->output(config.preprocess)}, shape, images_->where());
}

Hdf5Images open_images(const config::Data& config) {
  return Hdf5Images(find_hdf5(h5::File::open(config.path), config.images, "data.images"));
}

template <class Value>
void Hdf5Reader::read_as(std::int64_t first, std::span<Value> pixels, std::span<Reason> reasons) {
  const auto count = static_cast<std::int64_t>(reasons.size());
  if (static_cast<std::int64_t>(pixels.size()) != count * values_) {
    throw Error(ExitCode::internal, fmt::format("{}: {} samples are {} values, the buffer has {}",
                                                images_->where(), count, count * values_, pixels.size()));
  }
  std::ranges::fill(reasons, Reason::none);
  for (std::int64_t done = 0; done < count;) {
    const std::int64_t rows = std::min(images_->slice(), count - done);
    {
      const std::lock_guard lock(turn_);
      images_->load(first + done, rows);
    }
    images_->preprocess(preprocess_, pixels.data() + done * values_);
    done += rows;
  }
}

}  // namespace

Hdf5Turn& hdf5_turn() {
  static Hdf5Turn turn;
  return turn;
}

std::vector<Digest> digest_hdf5(const config::Data& config, const DatasetShape& shape,
                                std::span<const Location> /*places*/) {
  Hdf5Images images = open_images(config);
  check_same_dataset({images.size(), images.output(config.preprocess)}, shape, images.where());
  return images.digests();
}

void check_hdf5_sources(const config::Data& config) {
  static_cast<void>(open_images(config).dataset().check_sources());
}

std::unique_ptr<SampleReader> open_hdf5_reader(const config::Data& config, const DatasetShape& shape,
                                               Hdf5Turn& turn) {
  return std::make_unique<Hdf5Reader>(config, shape, turn);
}

std::unique_ptr<SampleReader> open_hdf5_samples(const config::Data& config, const DatasetShape& shape) {
  return open_hdf5_reader(config, shape, hdf5_turn());
}

}  // namespace polyhead::data
