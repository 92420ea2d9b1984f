#include <gmock/gmock.h>

#include "../support.hpp"
#include "polyhead/data/reader.hpp"
#include "samples.hpp"

namespace polyhead::data {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::labels_of;
using testing::read_file;
using testing::write;

class Cifar : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(
        polyhead::testing::run_python("data/make_cifar.py", fmt::format("'{}'", folder_.path().string())), 0);
  }
  config::Data at(const std::string& path, config::DataFormat format = config::DataFormat::automatic) {
    config::Data config;
    config.path = folder_ / path;
    config.format = format;
    return config;
  }
  std::unique_ptr<Dataset> open(const config::Data& config) { return data::open(config, folder_ / "list"); }
  std::vector<float> read(const config::Data& config, std::int64_t first, std::int64_t count) {
    const auto dataset = open(config);
    const DatasetShape shape{dataset->size(), dataset->image_shape()};
    std::vector<float> pixels(static_cast<std::size_t>(count * shape.image.values()));
    std::vector<Reason> reasons(static_cast<std::size_t>(count), Reason::corrupt);
    open_reader(config, shape)->read(first, {}, pixels, reasons);
    EXPECT_THAT(reasons, Each(Reason::none));
    return pixels;
  }
  TemporaryFolder folder_;
};

TEST_F(Cifar, TenClasses) {
  const auto dataset = open(at("ten"));
  EXPECT_EQ(dataset->size(), 7);
  EXPECT_EQ(dataset->image_shape(), (ImageShape{32, 32}));
  EXPECT_THAT(labels_of(*dataset), ElementsAre(0, 9, 3, 3, 1, 2, 5));
  EXPECT_EQ(dataset->class_names().size(), 10);
  EXPECT_EQ(dataset->class_names()[9], "class 9");
  EXPECT_EQ(dataset->sample_id(3), "3");
  EXPECT_EQ(dataset->describe(), (folder_ / "ten/test_batch.bin").string() + ": 7 images, cifar10, labelled");
  EXPECT_THAT(dataset->locations(0, 7), IsEmpty());
}

TEST_F(Cifar, HundredClassesAreTheFineOnes) {
  const auto dataset = open(at("hundred"));
  EXPECT_THAT(labels_of(*dataset), ElementsAre(0, 99, 50, 3, 1, 2, 5));
  EXPECT_EQ(dataset->class_names()[99], "fine 99");
}

TEST_F(Cifar, PixelsAreTorchvisions) {
  const std::string bytes = read_file(folder_ / "expected.f32");
  std::vector<float> expected(bytes.size() / sizeof(float));
  std::memcpy(expected.data(), bytes.data(), bytes.size());
  EXPECT_EQ(read(at("ten"), 0, 7), expected);
  EXPECT_EQ(read(at("hundred"), 0, 7), expected);
  EXPECT_EQ(read(at("ten"), 6, 1), std::vector<float>(expected.end() - 3072, expected.end()));
}

TEST_F(Cifar, BytesAreTheSamePixels) {
  config::Data config = at("hundred");
  config.preprocess = {
      40, 36, config::Interpolation::bilinear, config::PreprocessMode::exact, {0.5, 0.4, 0.3}};
  const auto reader = open_reader(config, {7, {36, 36}});
  EXPECT_EQ(testing::normalised_bytes(*reader, config.preprocess, 2, 4, {36, 36}), read(config, 2, 4));
}

TEST_F(Cifar, IsPreprocessed) {
  config::Data config = at("ten");
  config.preprocess.crop = 2;
  config.preprocess.mean = {1, 1, 1};
  const auto all = read(at("ten"), 1, 1);
  const auto cropped = read(config, 1, 1);
  ASSERT_EQ(cropped.size(), 12);
  EXPECT_EQ(cropped[0], all[15 * 32 + 15] - 1);
  config.preprocess.crop = 33;
  const auto [code, text] = error_of([&] { return open(config); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, AllOf(HasSubstr("test_batch.bin"), HasSubstr("smaller than data.preprocess.crop")));
}

TEST_F(Cifar, RefusesAnotherSize) {
  std::filesystem::resize_file(folder_ / "ten/test_batch.bin", 3073 * 7 - 1);
  auto [code, text] = error_of([&] { return open(at("ten")); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("found 21510 bytes; expected a multiple of 3073, the rows of cifar10"));
  std::filesystem::resize_file(folder_ / "hundred/test.bin", 0);
  std::tie(code, text) = error_of([&] { return open(at("hundred")); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("found 0 bytes; expected a multiple of 3074"));
}

TEST_F(Cifar, NamesTheRowWithABadLabel) {
  std::string bytes = read_file(folder_ / "ten/test_batch.bin");
  bytes[3073 * 5] = 10;
  write(folder_ / "ten/test_batch.bin", bytes);
  const auto dataset = open(at("ten"));
  std::vector<std::int32_t> labels(3);
  dataset->read_labels(1, labels);
  const auto [code, text] = error_of([&] { return labels_of(*dataset); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("row 5 (byte 15365) has label 10; expected 0 to 9"));
}

TEST_F(Cifar, NamesMayBeMissing) {
  std::filesystem::remove(folder_ / "ten/batches.meta.txt");
  write(folder_ / "hundred/fine_label_names.txt", "only one\n");
  EXPECT_THAT(open(at("ten"))->class_names(), IsEmpty());
  EXPECT_THAT(open(at("hundred"))->class_names(), IsEmpty());
}

TEST_F(Cifar, NamesTheMissingFile) {
  std::filesystem::create_directories(folder_ / "none");
  const auto [code, text] = error_of([&] { return open(at("none", config::DataFormat::cifar10)); });
  EXPECT_EQ(code, ExitCode::no_input);
  EXPECT_THAT(text, HasSubstr("none/test_batch.bin"));
}

TEST_F(Cifar, ReaderRefusesAnotherDataSet) {
  const auto [code, text] = error_of([&] { return open_reader(at("ten"), {8, {32, 32}}); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("this rank sees another data set than rank 0: found 7 samples"));
}

TEST_F(Cifar, DigestSeesLabelsAndPixels) {
  const auto digest = open(at("ten"))->digest();
  EXPECT_EQ(open(at("ten/test_batch.bin", config::DataFormat::cifar10))->digest(), digest);
  for (const std::size_t byte : {std::size_t{0}, std::size_t{3073} * 2 - 1, std::size_t{3073} * 6}) {
    std::string bytes = read_file(folder_ / "ten/test_batch.bin");
    bytes[byte] ^= 1;
    write(folder_ / "changed.bin", bytes);
    EXPECT_NE(open(at("changed.bin", config::DataFormat::cifar10))->digest(), digest);
  }
}

}  // namespace
}  // namespace polyhead::data
