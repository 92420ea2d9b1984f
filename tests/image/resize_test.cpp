#include "polyhead/image/resize.hpp"

#include <random>

#include <gmock/gmock.h>

namespace polyhead::image {
namespace {

using config::Interpolation;

template <class Pixel>
std::vector<Pixel> noise(std::size_t count) {
  std::minstd_rand random(3);
  std::vector<Pixel> pixels(count);
  for (Pixel& pixel : pixels) pixel = static_cast<Pixel>(random() % 256);
  return pixels;
}

/// What is cut while resizing has the bits of what is cut afterwards.
template <class Pixel>
void expect_crop_is_a_cut(ImageShape source, ImageShape resized, int channels, Interpolation interpolation) {
  const auto image = noise<Pixel>(static_cast<std::size_t>(source.height) * source.width * channels);
  const PixelView<Pixel> view{image.data(), std::ptrdiff_t{source.width} * channels};
  Resizer<Pixel> whole(interpolation);
  Resizer<Pixel> part(interpolation);
  whole.set({source, resized, resized});
  const Geometry crop{source, resized, {6, 5}, 3, 2};
  part.set(crop);
  const auto all = whole(view, channels);
  const auto cut = part(view, channels);
  for (int y = 0; y < crop.output.height; ++y) {
    for (int x = 0; x < crop.output.width * channels; ++x) {
      EXPECT_EQ(cut.pixels[y * cut.stride + x],
                all.pixels[(y + crop.top) * all.stride + crop.left * channels + x]);
    }
  }
}

TEST(Resizer, CropHasTheBitsOfTheWhole) {
  for (const auto interpolation : {Interpolation::bilinear, Interpolation::bicubic}) {
    for (const int channels : {1, 3}) {
      for (const ImageShape resized : {ImageShape{9, 8}, ImageShape{40, 31}, ImageShape{20, 12},
                                       ImageShape{9, 30}, ImageShape{20, 30}, ImageShape{10, 30}}) {
        expect_crop_is_a_cut<std::uint8_t>({20, 30}, resized, channels, interpolation);
        expect_crop_is_a_cut<float>({20, 30}, resized, channels, interpolation);
      }
    }
  }
}

TEST(Resizer, LeavesFlatImagesFlat) {
  const std::vector<std::uint8_t> image(1200, 255);
  Resizer<std::uint8_t> resizer(Interpolation::bicubic);
  for (const ImageShape resized : {ImageShape{7, 5}, ImageShape{120, 40}, ImageShape{5, 20}}) {
    resizer.set({{60, 20}, resized, resized});
    const auto result = resizer({image.data(), 20}, 1);
    EXPECT_THAT(std::vector<int>(result.pixels, result.pixels + resized.values() / 3), ::testing::Each(255));
  }
}

TEST(Resizer, DoesNotCopyWhatItDoesNotResize) {
  const auto image = noise<float>(48);
  Resizer<float> resizer(Interpolation::bilinear);
  resizer.set({{6, 8}, {6, 8}, {2, 3}, 1, 4});
  const auto result = resizer({image.data(), 8}, 1);
  EXPECT_EQ(result.pixels, image.data() + 12);
  EXPECT_EQ(result.stride, 8);
}

}  // namespace
}  // namespace polyhead::image
