#include "image/resample/row_resizer.hpp"

#include <bit>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace polyhead::image {
namespace {

using config::Interpolation;

/// An image of noise; every fourth byte belongs to no channel.
std::vector<std::uint8_t> noise(ImageShape shape) {
  std::minstd_rand random(7);
  std::vector<std::uint8_t> pixels(kPixelBytes * static_cast<std::size_t>(shape.height * shape.width));
  for (std::uint8_t& value : pixels)
    value = static_cast<std::uint8_t>(random() % 3 == 0 ? random() : random() % 2 * 255);
  return pixels;
}

std::vector<std::uint8_t> without_fourth(const std::vector<std::uint8_t>& pixels) {
  std::vector<std::uint8_t> kept;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    if (i % kPixelBytes != 3) kept.push_back(pixels[i]);
  }
  return kept;
}

/// The result, three channels.
std::vector<std::uint8_t> by_rows(const std::vector<std::uint8_t>& image, const Geometry& geometry,
                                  Interpolation interpolation, const ByteKernels& kernels) {
  RowResizer resizer(interpolation, kernels);
  resizer.set(geometry);
  const Range rows = resizer.rows();
  const auto width = static_cast<std::size_t>(geometry.source.width);
  for (int y = rows.first; y < rows.first + rows.count; ++y) {
    const auto begin =
        image.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(y) * width * kPixelBytes);
    std::vector<std::uint8_t> row(begin, begin + static_cast<std::ptrdiff_t>(width * kPixelBytes));
    row.resize(row.size() + kRowSlack, 77);
    resizer.add(row.data() + static_cast<std::size_t>(resizer.columns().first) * kPixelBytes);
  }
  std::vector<std::uint8_t> result;
  for (int y = 0; y < geometry.output.height; ++y) {
    const std::uint8_t* row = resizer.output(y);
    result.insert(result.end(), row, row + static_cast<std::size_t>(geometry.output.width) * kPixelBytes);
  }
  return without_fourth(result);
}

std::vector<std::uint8_t> at_once(const std::vector<std::uint8_t>& image, const Geometry& geometry,
                                  Interpolation interpolation) {
  const auto pixels = without_fourth(image);
  Resizer<std::uint8_t> resizer(interpolation);
  resizer.set(geometry);
  const auto view = resizer({pixels.data(), std::ptrdiff_t{3} * geometry.source.width}, 3);
  std::vector<std::uint8_t> result;
  for (int y = 0; y < geometry.output.height; ++y) {
    const std::uint8_t* row = view.pixels + y * view.stride;
    result.insert(result.end(), row, row + std::ptrdiff_t{3} * geometry.output.width);
  }
  return result;
}

std::vector<Geometry> geometries() {
  std::minstd_rand random(11);
  std::vector<Geometry> all;
  const auto upto = [&random](int most) {
    return 1 + static_cast<int>(random() % static_cast<unsigned>(most));
  };
  for (int i = 0; i < 400; ++i) {
    const int most = i % 4 == 0 ? 300 : 40;
    Geometry geometry;
    geometry.source = {upto(most), upto(most)};
    geometry.resized = {i % 5 == 0 ? geometry.source.height : upto(60),
                        i % 7 == 0 ? geometry.source.width : upto(60)};
    geometry.output = {upto(geometry.resized.height), upto(geometry.resized.width)};
    geometry.top = upto(geometry.resized.height - geometry.output.height + 1) - 1;
    geometry.left = upto(geometry.resized.width - geometry.output.width + 1) - 1;
    all.push_back(geometry);
  }
  return all;
}

TEST(RowResizer, GivesTheBitsOfTheResizerWithAnyKernels) {
  for (const Geometry& geometry : geometries()) {
    const auto image = noise(geometry.source);
    for (const auto interpolation : {Interpolation::bilinear, Interpolation::bicubic}) {
      const auto expected = at_once(image, geometry, interpolation);
      EXPECT_EQ(by_rows(image, geometry, interpolation, portable_kernels()), expected);
      for (const ByteKernels* kernels : {avx2_kernels(), avx512_kernels()}) {
        if (kernels == nullptr) continue;  // not on this processor
        EXPECT_EQ(by_rows(image, geometry, interpolation, *kernels), expected);
      }
    }
  }
}

TEST(ByteKernels, NormaliseAlike) {
  config::Preprocess preprocess;
  preprocess.mean = {0.485, 0.456, 0.406};
  preprocess.std = {0.229, 0.224, 0.225};
  const Normalization normalization(preprocess);
  std::vector<std::uint8_t> row;
  for (std::size_t value = 0; value < 259; ++value)
    row.insert(row.end(), kPixelBytes, static_cast<std::uint8_t>(value));
  row.resize(row.size() + kRowSlack);
  std::vector<float> portable(259 * 3);
  std::vector<float> best(259 * 3);
  const auto planes = [](std::vector<float>& out) { return std::array{&out[0], &out[259], &out[518]}; };
  portable_kernels().normalize(row.data(), 259, normalization, planes(portable));
  best_kernels().normalize(row.data(), 259, normalization, planes(best));
  for (std::size_t i = 0; i < portable.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(portable[i]), std::bit_cast<std::uint32_t>(best[i]));
  }
}

}  // namespace
}  // namespace polyhead::image
