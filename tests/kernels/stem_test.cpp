#include "polyhead/kernels/stem.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include <gtest/gtest.h>

#include "reference.hpp"

namespace polyhead::kernels {
namespace {

using testing::Layer;
using testing::Random;
using testing::values_of;

constexpr int kColours = 3;
constexpr int kPairedChannels = 12;  // of the 4x4 convolution that the stem is computed by

/// The 3x3 maximum of stride 2 in fp64, where NaN wins.
std::vector<double> pooled(const std::vector<double>& from, const ImageDims& in, std::size_t images) {
  std::vector<double> result;
  for (std::size_t plane = 0; plane < images * static_cast<std::size_t>(in.channels); ++plane) {
    const double* pixels = from.data() + plane * static_cast<std::size_t>(in.height * in.width);
    for (int y = 0; y < in.height; y += 2) {
      for (int x = 0; x < in.width; x += 2) {
        double largest = -1;
        for (int row = std::max(0, y - 1); row <= std::min(in.height - 1, y + 1); ++row) {
          for (int column = std::max(0, x - 1); column <= std::min(in.width - 1, x + 1); ++column) {
            const double value = pixels[row * in.width + column];
            if (!(value <= largest)) largest = std::isnan(largest) ? largest : value;
          }
        }
        result.push_back(largest);
      }
    }
  }
  return result;
}

struct Case {
  Case(int out, int images, int height, int width, Random& random)
      : layer({kColours, out, 7, 2}, random),
        in{kColours, height, width},
        pixels(random.normal(static_cast<std::size_t>(images) * values_of(in))) {}
  Layer layer;
  ImageDims in;
  std::vector<float> pixels;

  [[nodiscard]] int images() const { return static_cast<int>(pixels.size() / values_of(in)); }
  [[nodiscard]] std::vector<double> expected() const {
    const auto convolved = testing::convolve(layer, pixels, in, std::vector<double>(), true);
    return pooled(convolved, testing::output_of(layer.shape, in), static_cast<std::size_t>(images()));
  }
};

std::vector<float> compute(Isa isa, const Case& job, int threads) {
  const int channels = job.layer.shape.out;
  std::vector<float> prepared(Stem::prepared_size(isa, channels));
  Stem::prepare(isa, channels, job.layer.weight, job.layer.bias, prepared);
  const Stem stem(isa, channels, prepared);
  Team team(threads);
  Stem::Memory memory(stem, job.in.height, job.in.width, threads);
  Activations out(job.images(), Stem::output(channels, job.in.height, job.in.width), block_of(isa));
  stem(job.pixels.data(), job.images(), out, 0, memory, team);
  return testing::planar(out);
}

TEST(Stem, IsWhatFp64Gives) {
  Random random(1);
  constexpr std::array<std::array<int, 2>, 9> kSizes{
      {{1, 1}, {2, 3}, {5, 4}, {7, 7}, {8, 9}, {16, 16}, {33, 21}, {30, 47}, {64, 64}}};
  for (const auto& [height, width] : kSizes) {
    const Case job(random.between(12, 40), random.between(1, 3), height, width, random);
    const std::vector<double> expected = job.expected();
    const std::vector<float> first = compute(usable_isas().front(), job, 1);
    for (const Isa isa : usable_isas()) {
      const std::vector<float> found = compute(isa, job, random.between(1, 5));
      ASSERT_EQ(found.size(), expected.size());
      EXPECT_LT(testing::relative_error(found, expected), 3e-7 * std::sqrt(kPairedChannels))
          << height << " x " << width << ", " << name(isa);
      EXPECT_EQ(found, first) << name(isa) << " has other bits";
    }
  }
}

TEST(Stem, WhatIsNotFiniteIsNeverLost) {
  Random random(2);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (int round = 0; round < 40; ++round) {
    Case job(random.between(1, 20), 2, random.between(1, 25), random.between(1, 25), random);
    const int value = random.between(0, static_cast<int>(values_of(job.in)) - 1);
    job.pixels[static_cast<std::size_t>(value)] =
        std::array{kNan, -kNan, kInfinity, -kInfinity}[static_cast<std::size_t>(round % 4)];
    const std::vector<double> expected = job.expected();
    for (const Isa isa : usable_isas()) {
      const std::vector<float> found = compute(isa, job, 1);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        if (testing::lost_in_fp32(expected[i])) {
          EXPECT_FALSE(std::isfinite(found[i])) << i;
        }
        if (i >= expected.size() / 2) {
          ASSERT_TRUE(std::isfinite(found[i])) << "the other image, " << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace polyhead::kernels
