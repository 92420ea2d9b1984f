#include "polyhead/image/preprocess.hpp"

#include <bit>
#include <cmath>
#include <fstream>
#include <limits>
#include <vector>

#include <gmock/gmock.h>

#include "../support.hpp"
#include "polyhead/data/dataset.hpp"
#include "polyhead/data/reader.hpp"
#include "samples.hpp"

namespace polyhead::data {
namespace {

using polyhead::testing::error_of;
using ::testing::HasSubstr;

std::optional<int> size_from(const std::string& text) {
  return text == "-" ? std::nullopt : std::optional(std::stoi(text));
}

/// One line of make_reference.py's list.
struct Case {
  std::string images;
  config::Preprocess preprocess;
  std::size_t count = 0;
  ImageShape shape;
};

std::istream& operator>>(std::istream& in, Case& item) {
  std::string resize;
  std::string crop;
  std::string interpolation;
  in >> item.images >> resize >> crop >> interpolation;
  for (double& mean : item.preprocess.mean) in >> mean;
  for (double& deviation : item.preprocess.std) in >> deviation;
  in >> item.count >> item.shape.height >> item.shape.width;
  if (!in) return in;
  item.preprocess.resize = size_from(resize);
  item.preprocess.crop = size_from(crop);
  item.preprocess.interpolation =
      interpolation == "bicubic" ? config::Interpolation::bicubic : config::Interpolation::bilinear;
  return in;
}

struct Images {
  std::vector<float> pixels;
  std::vector<float> from_bytes;  ///< the same, taken as bytes where there are some
};

Images read_all(const std::filesystem::path& file, const Case& item) {
  config::Data config;
  config.format = config::DataFormat::hdf5;
  config.path = file;
  config.images = item.images;
  config.preprocess = item.preprocess;
  const auto dataset = open(config, "no list is needed");
  EXPECT_EQ(dataset->image_shape(), item.shape);
  Images images;
  images.pixels.resize(static_cast<std::size_t>(dataset->size() * dataset->image_shape().values()));
  std::vector<Reason> reasons(static_cast<std::size_t>(dataset->size()));
  const auto reader = open_reader(config, {dataset->size(), dataset->image_shape()});
  reader->read(0, {}, images.pixels, reasons);
  images.from_bytes = images.pixels;
  if (reader->gives_bytes()) {
    images.from_bytes =
        testing::normalised_bytes(*reader, config.preprocess, 0, dataset->size(), dataset->image_shape());
  }
  return images;
}

/// Values that differ: in any bit, or by more than `tolerance` of the larger of 1 and the expected value.
std::size_t differences(const std::vector<float>& values, const std::vector<float>& expected,
                        float tolerance) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool same = std::bit_cast<std::uint32_t>(values[i]) == std::bit_cast<std::uint32_t>(expected[i]);
    const bool near = std::abs(values[i] - expected[i]) <= tolerance * std::max(1.0F, std::abs(expected[i]));
    if (!same && !near) ++count;
  }
  return count;
}

TEST(Preprocessor, MatchesTorchvision) {
  const polyhead::testing::TemporaryFolder folder;
  ASSERT_EQ(polyhead::testing::run_python("data/make_reference.py", "'" + folder.path().string() + "'"), 0);
  std::ifstream cases(folder / "cases.txt");
  std::ifstream reference(folder / "expected.f32", std::ios::binary);
  std::size_t seen = 0;
  for (Case item; cases >> item; ++seen) {
    std::vector<float> expected(item.count * static_cast<std::size_t>(item.shape.values()));
    reference.read(reinterpret_cast<char*>(expected.data()),
                   static_cast<std::streamsize>(expected.size() * sizeof(float)));
    ASSERT_TRUE(reference);
    const auto [pixels, from_bytes] = read_all(folder / "images.h5", item);
    ASSERT_EQ(pixels.size(), expected.size());
    EXPECT_EQ(differences(from_bytes, pixels, 0.0F), 0U);
    const bool is_bytes =
        item.images.starts_with("rgb") || item.images.starts_with("gray") || item.images.starts_with("flat");
    EXPECT_EQ(differences(pixels, expected, is_bytes ? 0.0F : 1e-5F), 0U)
        << item.images << " resize " << item.preprocess.resize.value_or(0) << " crop "
        << item.preprocess.crop.value_or(0) << " interpolation "
        << static_cast<int>(item.preprocess.interpolation);
  }
  EXPECT_GT(seen, 900U);
}

config::Preprocess sized(std::optional<int> resize, std::optional<int> crop) {
  config::Preprocess preprocess;
  preprocess.resize = resize;
  preprocess.crop = crop;
  return preprocess;
}

TEST(Geometry, FollowsTorchvision) {
  // torchvision's own numbers: int(size * long / short), int(round((size - crop) / 2))
  const image::Geometry landscape = image::geometry_of(sized(256, 224), {375, 500});
  EXPECT_EQ(landscape.resized, (ImageShape{256, 341}));
  EXPECT_EQ(landscape.output, (ImageShape{224, 224}));
  EXPECT_EQ(landscape.top, 16);
  EXPECT_EQ(landscape.left, 58);  // 58.5 goes to the even neighbour
  const image::Geometry portrait = image::geometry_of(sized(256, 255), {500, 375});
  EXPECT_EQ(portrait.resized, (ImageShape{341, 256}));
  EXPECT_EQ(portrait.top, 43);
  EXPECT_EQ(portrait.left, 0);                                 // 0.5 goes to 0
  EXPECT_EQ(image::geometry_of(sized({}, 5), {8, 8}).top, 2);  // 1.5 goes to 2
  EXPECT_EQ(image::geometry_of(sized({}, {}), {7, 9}).output, (ImageShape{7, 9}));
}

void expect_refused(const config::Preprocess& preprocess, ImageShape image, const std::string& message) {
  const auto [code, text] = error_of([&] { return image::geometry_of(preprocess, image); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr(message));
}

TEST(Geometry, RefusesACropThatDoesNotFit) {
  expect_refused(sized({}, 33), {32, 40},
                 "images of 32x40 (height x width) are smaller than data.preprocess.crop: 33");
  expect_refused(
      sized(24, 28), {32, 40},
      "images of 32x40 (height x width), resized to 24x30 by data.preprocess.resize, are smaller than "
      "data.preprocess.crop: 28");
}

TEST(Geometry, RefusesSizesOutOfHand) {
  expect_refused(sized(1 << 20, {}), {1, 1 << 20}, "would be 1099511627776 pixels long");
  expect_refused(sized(std::numeric_limits<int>::max(), {}), {8, 8}, "pixels long");
  expect_refused(sized(1 << 20, {}), {8, 8}, "beyond 2^31 values");
  expect_refused(sized(8, 8), {0, 8}, "images of 0x8 (height x width) hold no pixels");
  EXPECT_NO_THROW(image::geometry_of(sized(1 << 20, 32), {8, 8}));  // only the crop is computed
}

/// Three images of different sizes by one object, between them those of other sizes.
TEST(Preprocessor, KeepsNothingOfTheImageBefore) {
  const auto preprocess = sized(12, 10);
  const auto write = [](image::Preprocessor& by, int height, int width, int channels) {
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(height * width * channels));
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 37 % 251);
    std::vector<float> out(300);
    by(image::ByteImage{pixels.data(), {height, width}, channels, std::ptrdiff_t{width} * channels},
       out.data());
    return out;
  };
  image::Preprocessor reused(preprocess);
  for (const auto [height, width, channels] :
       {std::array{40, 30, 3}, std::array{12, 90, 1}, std::array{30, 12, 3}, std::array{12, 12, 3},
        std::array{40, 30, 3}}) {
    image::Preprocessor fresh(preprocess);
    EXPECT_EQ(write(reused, height, width, channels), write(fresh, height, width, channels));
  }
}

TEST(Preprocessor, SkipsTheEndOfEachRow) {
  const std::vector<std::uint8_t> tight{1, 2, 3, 4};
  const std::vector<std::uint8_t> loose{1, 2, 99, 99, 3, 4};
  for (const auto resize : {std::optional<int>(), std::optional(5)}) {
    image::Preprocessor preprocess(sized(resize, {}));
    std::vector<float> expected(75);
    std::vector<float> out(75);
    preprocess(image::ByteImage{tight.data(), {2, 2}, 1, 2}, expected.data());
    preprocess(image::ByteImage{loose.data(), {2, 2}, 1, 4}, out.data());
    EXPECT_EQ(out, expected);
  }
}

}  // namespace
}  // namespace polyhead::data
