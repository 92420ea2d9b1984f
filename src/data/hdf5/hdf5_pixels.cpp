#include "hdf5_pixels.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "hdf5_find.hpp"
#include "hdf5_images.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/data/dataset.hpp"
#include "polyhead/h5/h5.hpp"

namespace polyhead::data {
namespace {

template <class Value>
void widen(PixelValues& values, std::span<const std::byte> bytes) {
  const auto* pixels = reinterpret_cast<const Value*>(bytes.data());
  for (const Value value : std::span(pixels, bytes.size() / sizeof(Value))) {
    const auto pixel = static_cast<float>(value);
    if (!std::isfinite(pixel)) continue;
    values.lowest = values.looked_at ? std::min(values.lowest, pixel) : pixel;
    values.highest = values.looked_at ? std::max(values.highest, pixel) : pixel;
    values.looked_at = true;
  }
}

/// Values of every eighth of the digested samples. Read errors are ignored here: whoever needs the values
/// reports them.
PixelValues values_of(Hdf5Images& images) try {
  constexpr std::size_t kStep = 8;
  PixelValues values{images.are_bytes()};
  const auto samples = digested_samples(images.size());
  for (std::size_t i = 0; i < samples.size(); i += kStep) {
    const auto bytes = images.bytes(samples[i]);
    values.bytes ? widen<std::uint8_t>(values, bytes) : widen<float>(values, bytes);
  }
  return values;
} catch (const Error&) {
  return {images.are_bytes()};
}

}  // namespace

PixelValues look_at_hdf5_pixels(const config::Data& config) {
  const auto file = h5::File::open(config.path);
  Hdf5Images images(find_hdf5(file, config.images, "data.images"));
  return values_of(images);
}

}  // namespace polyhead::data
