#include "hdf5_images.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "polyhead/base/error.hpp"
#include "polyhead/data/dataset.hpp"

namespace polyhead::data {
namespace {

using Shape = std::vector<std::int64_t>;
constexpr std::int64_t kSliceBytes = std::int64_t{1} << 20U;
constexpr std::int64_t kMaxSliceBytes = std::int64_t{16} << 20U;

bool is_float(h5::Type type) {
  return type == h5::Type::f32 || type == h5::Type::f64;
}

bool is_channels(std::int64_t size) {
  return size == 1 || size == 3;
}

/// Hint when the dimensions are those of the other kind of array: a likely mistake.
std::string hint(const h5::Dataset& dataset) {
  const Shape& shape = dataset.shape();
  if (shape.size() != 4) return "";
  if (is_float(dataset.type()) && is_channels(shape[3])) {
    return " (channels seem to be last: transpose float images with `images.transpose(0, 3, 1, 2)`)";
  }
  if (dataset.type() == h5::Type::u8 && is_channels(shape[1])) {
    return " (channels seem to be first: transpose uint8 images with `images.transpose(0, 2, 3, 1)`)";
  }
  return "";
}

[[noreturn]] void fail(const h5::Dataset& dataset) {
  throw Error(ExitCode::bad_data,
              fmt::format("{} is {}; expected uint8 [N, H, W, C] or [N, H, W], or float32 or float64 [N, C, "
                          "H, W], with C 1 or 3{}",
                          dataset.where(), dataset.describe(), hint(dataset)));
}

/// Height, width and channels of an image.
struct Layout {
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
};

Layout layout_of(const h5::Dataset& dataset) {
  const Shape& shape = dataset.shape();
  const bool bytes = dataset.type() == h5::Type::u8;
  if (bytes && shape.size() == 3) return {shape[1], shape[2], 1};
  if (bytes && shape.size() == 4 && is_channels(shape[3])) return {shape[1], shape[2], shape[3]};
  if (is_float(dataset.type()) && shape.size() == 4 && is_channels(shape[1])) {
    return {shape[2], shape[3], shape[1]};
  }
  fail(dataset);
}

void check_size(const h5::Dataset& dataset, const Layout& layout) {
  const auto [height, width, channels] = layout;
  if (dataset.shape()[0] == 0) {
    throw Error(ExitCode::bad_data, fmt::format("{} is {}: it holds no samples; expected at least one",
                                                dataset.where(), dataset.describe()));
  }
  if (height == 0 || width == 0) {
    throw Error(ExitCode::bad_data, fmt::format("{} is {}: its images hold no pixels; expected at least 1x1",
                                                dataset.where(), dataset.describe()));
  }
  // No overflow: h5 refuses dimensions whose product could overflow.
  if (height * width * channels >= image::kMaxValues) {
    throw Error(
        ExitCode::bad_data,
        fmt::format("{} is {}: an image of {} values is too large; expected fewer than {} (2^31)",
                    dataset.where(), dataset.describe(), height * width * channels, image::kMaxValues));
  }
}

/// Images per slice. A part of a chunk costs as much to read as the whole: every reader would unpack it.
std::int64_t slice_of(const h5::Dataset& dataset, std::int64_t image_bytes) {
  const std::int64_t most = std::max<std::int64_t>(1, kMaxSliceBytes / image_bytes);
  const std::int64_t some = std::max<std::int64_t>(1, kSliceBytes / image_bytes);
  const auto chunk = dataset.chunk();
  return std::clamp(chunk ? chunk->rows : 1, some, most);
}

}  // namespace

Hdf5Images::Hdf5Images(h5::Dataset dataset)
    : dataset_(std::move(dataset)), is_float_(is_float(dataset_.type())) {
  const Layout layout = layout_of(dataset_);
  check_size(dataset_, layout);
  shape_ = {static_cast<int>(layout.height), static_cast<int>(layout.width)};
  channels_ = static_cast<int>(layout.channels);
  values_ = layout.height * layout.width * layout.channels;
  slice_ = slice_of(dataset_, values_ * static_cast<std::int64_t>(is_float_ ? sizeof(float) : 1));
}

ImageShape Hdf5Images::output(const config::Preprocess& preprocess) const {
  try {
    return image::geometry_of(preprocess, shape_).output;
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", where(), error.what()));
  }
}

std::string Hdf5Images::describe() const {
  const Shape& shape = dataset_.shape();
  return fmt::format("{} {}", h5::name_of(dataset_.type()), fmt::join(shape.begin() + 1, shape.end(), "x"));
}

ArrayPiece Hdf5Images::piece() const {
  const auto chunk = dataset_.chunk();
  const std::int64_t value = is_float_ ? sizeof(float) : sizeof(std::uint8_t);
  const std::int64_t unpacked = chunk ? h5::kMaxCache + 2 * chunk->bytes : 0;
  return {slice_ * values_ * value, h5::kBuffers + unpacked, shape_, value};
}

image::ByteImage Hdf5Images::view(const std::uint8_t* pixels) const {
  return {pixels, shape_, channels_, std::ptrdiff_t{shape_.width} * channels_};
}

image::FloatImage Hdf5Images::view(const float* pixels) const {
  return {pixels, shape_, channels_};
}

template <class Pixel>
void Hdf5Images::load_into(std::vector<Pixel>& buffer, std::int64_t first, std::int64_t count) {
  const auto size = static_cast<std::size_t>(count * values_);
  if (buffer.size() < size) buffer.resize(size);
  dataset_.read_rows(first, count, std::span(buffer).first(size));
}

void Hdf5Images::load(std::int64_t first, std::int64_t count) {
  loaded_ = 0;
  is_float_ ? load_into(floats_, first, count) : load_into(bytes_, first, count);
  loaded_ = count;
}

template <class Value>
void Hdf5Images::preprocess(image::Preprocessor& preprocessor, Value* pixels) const {
  const std::int64_t values = preprocessor.output(shape_).values();
  for (std::int64_t i = 0; i < loaded_; ++i, pixels += values) {
    if constexpr (std::is_same_v<Value, float>) {
      if (is_float_) {
        preprocessor(view(&floats_[static_cast<std::size_t>(i * values_)]), pixels);
        continue;
      }
    }
    preprocessor(view(&bytes_[static_cast<std::size_t>(i * values_)]), pixels);
  }
}

template void Hdf5Images::preprocess(image::Preprocessor&, float*) const;
template void Hdf5Images::preprocess(image::Preprocessor&, std::uint8_t*) const;

std::vector<Digest> Hdf5Images::digests() {
  std::vector<Digest> digests;
  for (const std::int64_t sample : digested_samples(size()))
    digests.push_back(Hasher().update(bytes(sample)).digest());
  return digests;
}

std::span<const std::byte> Hdf5Images::bytes(std::int64_t index) {
  load(index, 1);
  const auto values = static_cast<std::size_t>(values_);
  return is_float_ ? std::as_bytes(std::span(floats_).first(values))
                   : std::as_bytes(std::span(bytes_).first(values));
}

}  // namespace polyhead::data
