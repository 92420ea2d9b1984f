#include "polyhead/kernels/convolution.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "../support.hpp"
#include "reference.hpp"

namespace polyhead::kernels {
namespace {

using testing::Layer;
using testing::prepare;
using testing::Random;
using testing::values_of;

/// What a test computes: some images through one layer.
struct Case {
  Layer layer;
  ImageDims in;
  std::vector<float> pixels;
  std::vector<float> residual;  ///< empty: none
  bool relu = false;

  [[nodiscard]] int images() const { return static_cast<int>(pixels.size() / values_of(in)); }
  [[nodiscard]] ImageDims out() const { return testing::output_of(layer.shape, in); }
  [[nodiscard]] std::vector<double> expected() const {
    return testing::convolve(layer, pixels, in, residual, relu);
  }
  [[nodiscard]] std::string str() const {
    return fmt::format("{0}x{0} of stride {1}, {2} to {3} channels, {4} images of {5} x {6}{7}{8}",
                       layer.shape.kernel, layer.shape.stride, layer.shape.in, layer.shape.out, images(),
                       in.height, in.width, residual.empty() ? "" : ", residual", relu ? ", ReLU" : "");
  }
};

Case make_case(const ConvShape& shape, int images, int height, int width, Random& random) {
  Case made{Layer(shape, random), {shape.in, height, width}, {}, {}, random.between(0, 1) == 1};
  made.pixels = random.normal(static_cast<std::size_t>(images) * values_of(made.in));
  if (random.between(0, 1) == 1)
    made.residual = random.normal(static_cast<std::size_t>(images) * values_of(made.out()));
  return made;
}

/// Computes in the middle of larger batches, as the network does with parts of one.
std::vector<float> compute(Isa isa, const Case& job, int threads) {
  constexpr int kBefore = 1;
  constexpr float kUntouched = 7;
  const int block = block_of(isa);
  const auto place = [&](const std::vector<float>& planar, const ImageDims& dims) {
    Activations made(job.images() + kBefore, dims, block);
    std::vector<float> all(values_of(dims), kUntouched);
    all.insert(all.end(), planar.begin(), planar.end());
    all.resize(static_cast<std::size_t>(made.images()) * values_of(dims));
    testing::assign(made, all);
    return made;
  };
  const std::vector<float> prepared = prepare(isa, job.layer.shape, job.layer.weight, job.layer.bias);
  const Convolution convolution(isa, job.layer.shape, prepared);
  EXPECT_EQ(job.layer.shape.output(job.in), job.out());
  const Activations in = place(job.pixels, job.in);
  Activations out = place(job.residual, job.out());
  Workspace workspace(threads);
  convolution({&in, kBefore, &out, kBefore, job.images(), !job.residual.empty(), job.relu}, workspace);
  const std::vector<float> planar = testing::planar(out);
  EXPECT_TRUE(std::all_of(planar.begin(), planar.begin() + static_cast<std::ptrdiff_t>(values_of(job.out())),
                          [](float value) { return value == kUntouched; }))
      << "wrote to another image";
  return {planar.begin() + static_cast<std::ptrdiff_t>(values_of(job.out())), planar.end()};
}

void expect_close(const Case& job, int threads) {
  const std::vector<double> expected = job.expected();
  std::optional<std::vector<float>> first;
  for (const Isa isa : usable_isas()) {
    const std::vector<float> found = compute(isa, job, threads);
    EXPECT_LT(testing::relative_error(found, expected), 3e-7 * std::sqrt(job.layer.shape.in))
        << job.str() << ", " << name(isa);
    if (!first) first = found;
    EXPECT_EQ(found, *first) << job.str() << ": " << name(isa) << " has other bits";
  }
}

class ConvolutionTest : public ::testing::TestWithParam<ConvShape> {
 protected:
  void SetUp() override {
    if (usable_isas().empty()) GTEST_SKIP() << "this processor has no AVX2";
  }
  [[nodiscard]] static ConvShape shape(int in, int out) {
    return {in, out, GetParam().kernel, GetParam().stride};
  }
};

TEST_P(ConvolutionTest, IsWhatFp64GivesForRandomShapes) {
  Random random(1);
  for (int round = 0; round < 24; ++round) {
    const ConvShape layer = shape(random.between(1, 70), random.between(12, 70));
    expect_close(make_case(layer, random.between(1, 3), random.between(1, 13), random.between(1, 13), random),
                 random.between(1, 3));
  }
}

TEST_P(ConvolutionTest, IsWhatFp64GivesForEverySizeOfTile) {
  Random random(2);
  for (int height = 1; height <= 9; ++height) {
    for (int width = 1; width <= 9; ++width)
      expect_close(make_case(shape(5, 19), 1, height, width, random), 1);
  }
}

/// Many channels, more tiles than one block.
TEST_P(ConvolutionTest, IsWhatFp64GivesForLargeLayers) {
  Random random(3);
  expect_close(make_case(shape(530, 40), 1, 5, 6, random), 2);
  expect_close(make_case(shape(8, 130), 5, 30, 22, random), 2);
}

TEST_P(ConvolutionTest, BitsDependNeitherOnCompanyNorOnThreads) {
  Random random(4);
  const Case all = make_case(shape(40, 50), 7, 14, 11, random);
  const auto cut = [](const std::vector<float>& values, std::size_t size, std::size_t image) {
    return values.empty() ? values
                          : std::vector(values.begin() + static_cast<std::ptrdiff_t>(image * size),
                                        values.begin() + static_cast<std::ptrdiff_t>((image + 1) * size));
  };
  for (const Isa isa : usable_isas()) {
    const std::vector<float> expected = compute(isa, all, 1);
    for (const int threads : {2, 5}) EXPECT_EQ(compute(isa, all, threads), expected) << threads;
    for (std::size_t image = 0; image < 7; ++image) {
      Case alone = all;
      alone.pixels = cut(all.pixels, values_of(all.in), image);
      alone.residual = cut(all.residual, values_of(all.out()), image);
      for (const int threads : {1, 3}) {
        EXPECT_EQ(compute(isa, alone, threads), cut(expected, values_of(all.out()), image)) << image;
      }
    }
  }
}

/// What is not finite in the reference is not finite here, and other images do not notice.
void expect_caught(const Case& job, int poisoned) {
  const std::vector<double> expected = job.expected();
  const std::size_t image = values_of(job.out());
  for (const Isa isa : usable_isas()) {
    const std::vector<float> found = compute(isa, job, 1);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const bool mine = static_cast<int>(i / image) == poisoned || poisoned < 0;
      if (testing::lost_in_fp32(expected[i])) {
        EXPECT_FALSE(std::isfinite(found[i])) << job.str() << ", value " << i;
      }
      if (!mine) {
        ASSERT_TRUE(std::isfinite(found[i])) << job.str() << ", value " << i;
      }
    }
  }
}

TEST_P(ConvolutionTest, WhatIsNotFiniteIsNeverLost) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  Random random(5);
  for (int round = 0; round < 60; ++round) {
    Case job = make_case(shape(random.between(1, 20), random.between(1, 20)), 3, random.between(1, 11),
                         random.between(1, 11), random);
    const int image = random.between(0, 2);
    const int value = random.between(0, static_cast<int>(values_of(job.in)) - 1);
    const float poison = std::array{kNan, -kNan, kInfinity, -kInfinity}[static_cast<std::size_t>(round % 4)];
    job.pixels[static_cast<std::size_t>(image) * values_of(job.in) + static_cast<std::size_t>(value)] =
        poison;
    expect_caught(job, image);
  }
}

TEST_P(ConvolutionTest, WeightsThatAreNotFiniteAreNeverLost) {
  Random random(6);
  for (int round = 0; round < 20; ++round) {
    Case job = make_case(shape(random.between(1, 20), random.between(1, 20)), 1, random.between(1, 9),
                         random.between(1, 9), random);
    const int value = random.between(0, static_cast<int>(job.layer.weight.size()) - 1);
    job.layer.weight[static_cast<std::size_t>(value)] = std::numeric_limits<float>::quiet_NaN();
    if (round % 2 == 1) job.layer.bias.back() = std::numeric_limits<float>::infinity();
    expect_caught(job, -1);
  }
}

TEST_P(ConvolutionTest, OverflowsAreNeverLost) {
  Random random(7);
  for (int round = 0; round < 20; ++round) {
    Case job = make_case(shape(random.between(1, 20), random.between(1, 20)), 1, random.between(1, 9),
                         random.between(1, 9), random);
    for (float& pixel : job.pixels) pixel *= 3e38F;
    expect_caught(job, -1);
  }
}

TEST_P(ConvolutionTest, WeightsMayLieAnywhere) {
  Random random(8);
  const Case job = make_case(shape(9, 11), 1, 6, 6, random);
  std::vector<float> weight(job.layer.weight.size() + 1);
  std::vector<float> bias(job.layer.bias.size() + 1);
  std::ranges::copy(job.layer.weight, weight.begin() + 1);
  std::ranges::copy(job.layer.bias, bias.begin() + 1);
  for (const Isa isa : usable_isas()) {
    const std::vector<float> prepared =
        prepare(isa, job.layer.shape, std::span(weight).subspan(1), std::span(bias).subspan(1));
    std::vector<float> moved(prepared.size() + 1);
    std::ranges::copy(prepared, moved.begin() + 1);
    const Convolution shifted(isa, job.layer.shape, std::span(moved).subspan(1));
    Activations in(1, job.in, block_of(isa));
    testing::assign(in, job.pixels);
    Activations out(1, job.out(), block_of(isa));
    Workspace workspace(1);
    shifted({&in, 0, &out, 0, 1, false, job.relu}, workspace);
    const std::vector<float> found = testing::planar(out);
    Case plain = job;
    plain.residual = {};
    EXPECT_EQ(found, compute(isa, plain, 1));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ConvolutionTest,
                         ::testing::Values(ConvShape{0, 0, 3, 1}, ConvShape{0, 0, 3, 2},
                                           ConvShape{0, 0, 1, 1}, ConvShape{0, 0, 1, 2}),
                         [](const auto& kind) {
                           return fmt::format("k{}s{}", kind.param.kernel, kind.param.stride);
                         });

TEST(Convolution, RefusesOtherShapes) {
  if (usable_isas().empty()) GTEST_SKIP() << "this processor has no AVX2";
  const std::vector<float> weight(25);
  const std::vector<float> bias(1);
  const auto [code, text] = testing::error_of([&] {
    return prepare(usable_isas().front(), {1, 1, 5, 1}, weight, bias);
  });
  EXPECT_EQ(code, ExitCode::internal);
  EXPECT_EQ(text, "no kernel for a 5x5 convolution of stride 1, 1 to 1 channels");
}

}  // namespace
}  // namespace polyhead::kernels
