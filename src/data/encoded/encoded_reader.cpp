#include "encoded_reader.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "data/data_folder.hpp"
#include "data/files/sample_bytes.hpp"
#include "data/same_dataset.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/image/decode.hpp"

namespace polyhead::data {
namespace {

/// Releases the memory whatever happens: other threads may wait for it.
struct Release {
  SampleBytes& bytes;
  ~Release() { bytes.release(); }
};

class EncodedReader : public SampleReader {
 public:
  EncodedReader(const config::Data& config, FileCalls calls)
      : values_(static_cast<std::size_t>(encoded_shape(config).values())),
        folder_(config),
        bytes_(config.max_file_size, std::move(calls)),
        decode_(config.preprocess, config.max_pixels) {}

  void read(std::int64_t /*first*/, std::span<const Location> locations, std::span<float> pixels,
            std::span<Reason> reasons) override {
    read_as(locations, pixels, reasons);
  }
  [[nodiscard]] bool gives_bytes() const override { return true; }
  void read_bytes(std::int64_t /*first*/, std::span<const Location> locations, std::span<std::uint8_t> pixels,
                  std::span<Reason> reasons) override {
    read_as(locations, pixels, reasons);
  }

 private:
  template <class Value>
  void read_as(std::span<const Location> locations, std::span<Value> pixels, std::span<Reason> reasons);
  void check_missing(const Location& location) const;

  std::size_t values_;  ///< values per image
  DataFolder folder_;
  SampleBytes bytes_;
  image::ImageDecoder decode_;
};

/// Whether the missing file is the sample's own fault.
void EncodedReader::check_missing(const Location& location) const {
  folder_.check();
  if (location.offset == 0 && location.size == 0) return;
  throw Error(ExitCode::io_error,
              fmt::format("{}: the shard has gone while the run was reading from it", location.path));
}

template <class Value>
void EncodedReader::read_as(std::span<const Location> locations, std::span<Value> pixels,
                            std::span<Reason> reasons) {
  if (locations.size() != reasons.size() || pixels.size() != reasons.size() * values_) {
    throw Error(ExitCode::internal, fmt::format("{} samples with {} locations and {} values; expected one "
                                                "location and {} values each",
                                                reasons.size(), locations.size(), pixels.size(), values_));
  }
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    const auto out = pixels.subspan(i * values_, values_);
    const Release release{bytes_};
    reasons[i] = bytes_.read(locations[i]);
    if (reasons[i] == Reason::missing) check_missing(locations[i]);
    if (reasons[i] == Reason::none) reasons[i] = decode_(bytes_.bytes(), out);
    if (reasons[i] != Reason::none) std::ranges::fill(out, Value{0});
  }
}

}  // namespace

ImageShape encoded_shape(const config::Data& config) {
  if (!config.preprocess.crop) {
    throw Error(
        ExitCode::config,
        "data.preprocess.crop is missing: image files have many sizes, and all must get one; add a crop, "
        "for example `preprocess: {resize: 256, crop: 224}`");
  }
  return {*config.preprocess.crop, *config.preprocess.crop};
}

std::vector<Digest> digest_places(std::span<const Location> places, std::uint64_t max_file_size) {
  std::vector<Digest> digests;
  SampleBytes bytes(max_file_size);
  for (const Location& place : places) {
    const Reason reason = bytes.read(place);
    digests.push_back(Hasher().update(static_cast<std::int64_t>(reason)).update(bytes.bytes()).digest());
  }
  return digests;
}

std::vector<Digest> digest_encoded(const config::Data& config, const DatasetShape& /*shape*/,
                                   std::span<const Location> places) {
  return digest_places(places, config.max_file_size);
}

std::unique_ptr<SampleReader> open_encoded_reader(const config::Data& config, const DatasetShape& shape,
                                                  FileCalls calls) {
  check_same_dataset({shape.size, encoded_shape(config)}, shape, config.path.native());
  return std::make_unique<EncodedReader>(config, std::move(calls));
}

std::unique_ptr<SampleReader> open_encoded(const config::Data& config, const DatasetShape& shape) {
  return open_encoded_reader(config, shape, {});
}

}  // namespace polyhead::data
