#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/image/preprocess.hpp"

namespace polyhead::image {
namespace {

constexpr std::int64_t kMaxSide = std::int64_t{1} << 30U;

std::string text(ImageShape shape) {
  return fmt::format("{}x{}", shape.height, shape.width);
}

/// Size with `size` as the shorter side; the longer one keeps the proportion, rounded down.
ImageShape resized(ImageShape image, int size) {
  const auto [shorter, longer] = std::minmax(image.height, image.width);
  const std::int64_t side = std::int64_t{size} * longer / shorter;
  if (side > kMaxSide) {
    throw Error(
        ExitCode::bad_data,
        fmt::format("images of {} (height x width) would be {} pixels long when data.preprocess.resize "
                    "makes their shorter side {}; choose a smaller one",
                    text(image), side, size));
  }
  const int other = static_cast<int>(side);
  return image.width <= image.height ? ImageShape{other, size} : ImageShape{size, other};
}

/// Half of the pixels that are cut off, halves rounded to even as by Python's `round`.
int margin(int size, int crop) {
  const int cut = size - crop;
  const int half = cut / 2;
  return cut % 2 == 0 ? half : half + half % 2;
}

void check_crop(ImageShape image, ImageShape resized, int crop) {
  if (crop <= std::min(resized.height, resized.width)) return;
  const std::string was =
      resized == image ? "" : fmt::format(", resized to {} by data.preprocess.resize,", text(resized));
  throw Error(
      ExitCode::bad_data,
      fmt::format("images of {} (height x width){} are smaller than data.preprocess.crop: {}; choose a "
                  "smaller crop or a larger resize",
                  text(image), was, crop));
}

}  // namespace

Geometry geometry_of(const config::Preprocess& preprocess, ImageShape image) {
  if (image.height <= 0 || image.width <= 0) {
    throw Error(ExitCode::bad_data, fmt::format("images of {} (height x width) hold no pixels", text(image)));
  }
  Geometry geometry{image, image, image};
  if (preprocess.resize) geometry.resized = resized(image, *preprocess.resize);
  geometry.output = geometry.resized;
  if (preprocess.crop) {
    const int crop = *preprocess.crop;
    check_crop(image, geometry.resized, crop);
    geometry.output = {crop, crop};
    geometry.top = margin(geometry.resized.height, crop);
    geometry.left = margin(geometry.resized.width, crop);
  }
  if (geometry.output.values() >= kMaxValues) {
    throw Error(ExitCode::bad_data,
                fmt::format("an image would be {} (height x width) after preprocessing, which is beyond 2^31 "
                            "values; choose a smaller data.preprocess.resize or a crop",
                            text(geometry.output)));
  }
  return geometry;
}

}  // namespace polyhead::image
