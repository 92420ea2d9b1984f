#include "data/pixel_units.hpp"

#include <limits>

#include <gmock/gmock.h>

#include "../support.hpp"
#include "polyhead/h5/h5.hpp"
#include "samples.hpp"

namespace polyhead::data {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::images_at;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::write;

constexpr std::array<double, 3> kMean{0.485, 0.456, 0.406};
constexpr std::array<double, 3> kStd{0.229, 0.224, 0.225};
constexpr std::array<double, 3> kMean255{123.675, 116.28, 103.53};
constexpr std::array<double, 3> kStd255{58.395, 57.12, 57.375};

config::Preprocess steps(std::array<double, 3> mean, std::array<double, 3> std) {
  config::Preprocess preprocess;
  preprocess.mean = mean;
  preprocess.std = std;
  return preprocess;
}

std::string refusal(const config::Preprocess& preprocess, const PixelValues& values = {}) {
  const auto [code, text] = error_of([&] { return check_units(preprocess, values); });
  EXPECT_EQ(code, ExitCode::config);
  return text;
}

PixelValues floats(float lowest, float highest) {
  return {.bytes = false, .looked_at = true, .lowest = lowest, .highest = highest};
}

TEST(PixelUnits, UsualNormalisationsAreNoMatter) {
  EXPECT_THAT(check_units(steps(kMean, kStd), PixelValues{}), IsEmpty());
  EXPECT_THAT(check_units(steps({0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}), PixelValues{}), IsEmpty());
  const double caffe = 1.0 / 255;  // pixels from 0 to 255 without their mean
  EXPECT_THAT(check_units(steps(kMean, {caffe, caffe, caffe}), PixelValues{}), IsEmpty());
  EXPECT_THAT(check_units(steps(kMean, kStd), floats(0, 1)), IsEmpty());
  EXPECT_THAT(check_units(steps(kMean255, kStd255), floats(0, 255)), IsEmpty());
  EXPECT_THAT(check_units(steps({0, 0, 0}, {1, 1, 1}), floats(-2.1F, 2.6F)), IsEmpty());
  EXPECT_THAT(check_units(steps(kMean, kStd), floats(0, 0)), IsEmpty()) << "images that are all one value";
}

TEST(PixelUnits, BytesWithTheMeansOf255AreRefused) {
  EXPECT_THAT(
      refusal(steps(kMean255, kStd255)),
      AllOf(HasSubstr("data.preprocess: found mean: [123.7, 116.3, 103.5], std: [58.4, 57.12, 57.38]"),
            HasSubstr("pixels are divided by 255 before"),
            HasSubstr("divide them by 255: mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]")));
  EXPECT_THAT(refusal(steps(kMean, kStd255)),
              HasSubstr("mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]"));
  EXPECT_THAT(refusal(steps({127.5, 127.5, 127.5}, {1, 1, 1})),
              HasSubstr("mean: [0.5, 0.5, 0.5], std: [1, 1, 1]"));
}

TEST(PixelUnits, MeansAndDeviationsExchangedAreRefused) {
  EXPECT_THAT(refusal(steps(kStd, kMean)),
              AllOf(HasSubstr("found mean: [0.229, 0.224, 0.225]"),
                    HasSubstr("expected mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]")));
  EXPECT_THAT(refusal(steps(kMean, kMean)), HasSubstr("its means as deviations"));
}

TEST(PixelUnits, BytesThatAreNotNormalisedAreWorthALine) {
  EXPECT_THAT(
      check_units(steps({0, 0, 0}, {1, 1, 1}), PixelValues{}),
      AllOf(HasSubstr("no normalisation (mean 0, std 1)"),
            HasSubstr("mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]"), Not(HasSubstr("\n"))));
  EXPECT_THAT(check_units(steps(kMean, kStd), {.bytes = true, .looked_at = true, .lowest = 0, .highest = 1}),
              HasSubstr("hold only 0 and 1"));
}

TEST(PixelUnits, FloatImagesAreLookedAt) {
  EXPECT_THAT(refusal(steps(kMean, kStd), floats(0, 255)),
              AllOf(HasSubstr("the float images hold values from 0 to 255, which are taken as they are"),
                    HasSubstr("divide the images by 255, or say mean: [123.7, 116.3, 103.5], std: [58.4")));
  EXPECT_THAT(refusal(steps(kMean255, kStd255), floats(0, 1)),
              AllOf(HasSubstr("values from 0 to 1"), HasSubstr("divide them by 255: mean: [0.485")));
  EXPECT_THAT(check_units(steps({0, 0, 0}, {1, 1, 1}), floats(0, 255)),
              HasSubstr("from 0 to 255 and are not normalised"));
  EXPECT_THAT(check_units(steps(kMean, kStd), floats(-2.1F, 2.6F)),
              AllOf(HasSubstr("from -2.1 to 2.6, as if they were normalised already"),
                    HasSubstr("mean: [0, 0, 0], std: [1, 1, 1]")));
}

class PixelUnitsOfFiles : public ::testing::Test {
 protected:
  /// Images of 8x8 whose values all are one of these, in turn.
  template <class Value>
  config::Data file(const std::vector<Value>& values) {
    const bool bytes = std::is_same_v<Value, std::uint8_t>;
    std::vector<Value> pixels;
    for (std::size_t i = 0; i < kImages * 64; ++i) pixels.push_back(values[i % values.size()]);
    std::vector<std::int64_t> shape{kImages, 1, 8, 8};
    if (bytes) shape = {kImages, 8, 8};
    std::filesystem::remove(folder_ / "data.h5");
    auto h5 = h5::File::create(folder_ / "data.h5");
    h5.create_dataset("images", bytes ? h5::Type::u8 : h5::Type::f32, shape)
        .write_rows(0, kImages, std::span<const Value>(pixels));
    h5.close();
    return images_at(folder_ / "data.h5");
  }
  static constexpr std::int64_t kImages = 12;
  std::string log_of(const config::Data& config) {
    ::testing::internal::CaptureStderr();
    open(config, folder_ / "index");
    return ::testing::internal::GetCapturedStderr();
  }
  TemporaryFolder folder_;
};

TEST_F(PixelUnitsOfFiles, EveryFormatIsAsked) {
  write(folder_ / "images/cat/a.jpg");
  config::Data config = images_at(folder_ / "images");
  EXPECT_THAT(log_of(config), HasSubstr("data: data.preprocess has no normalisation"));
  config.preprocess = steps(kMean, kStd);
  config.preprocess.crop = 8;
  EXPECT_THAT(log_of(config), Not(HasSubstr("normalisation")));
  config.preprocess.mean = kMean255;
  EXPECT_EQ(error_of([&] { return open(config, folder_ / "index"); }).first, ExitCode::config);
}

TEST_F(PixelUnitsOfFiles, ArraysAreLookedAt) {
  config::Data config = file<float>({0, 255, 3});
  EXPECT_THAT(log_of(config), HasSubstr("the float images hold values from 0 to 255 and are not normalised"));
  config.preprocess.mean = kMean;
  config.preprocess.std = kStd;
  const auto [code, text] = error_of([&] { return open(config, folder_ / "index"); });
  EXPECT_EQ(code, ExitCode::config);
  EXPECT_THAT(text, HasSubstr("the float images hold values from 0 to 255"));
  config.preprocess.mean = kMean255;
  config.preprocess.std = kStd255;
  EXPECT_THAT(log_of(config), IsEmpty());
  EXPECT_THAT(log_of(file<std::uint8_t>({0, 1})), HasSubstr("the 8-bit images hold only 0 and 1"));
  EXPECT_THAT(log_of(file<std::uint8_t>({0, 255})), HasSubstr("no normalisation"));
  EXPECT_THAT(log_of(file<float>({0, 1, std::numeric_limits<float>::quiet_NaN()})), IsEmpty());
}

}  // namespace
}  // namespace polyhead::data
