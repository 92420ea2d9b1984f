#include "data/encoded/encoded_reader.hpp"

#include <cerrno>

#include <gmock/gmock.h>

#include "../support.hpp"
#include "samples.hpp"
#include "tar_writer.hpp"

namespace polyhead::data {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::Each;
using ::testing::HasSubstr;
using testing::images_at;
using testing::read_file;
using testing::write;
namespace fs = std::filesystem;

constexpr std::size_t kValues = 192;

class EncodedReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(
        polyhead::testing::run_python("data/make_images.py", fmt::format("'{}'", folder_.path().string())),
        0);
  }
  std::unique_ptr<SampleReader> reader(FileCalls calls = {}) {
    config::Data config = images_at(folder_.path());
    config.max_file_size = 4096;
    return open_encoded_reader(config, {100, {8, 8}}, std::move(calls));
  }
  [[nodiscard]] Location at(const std::string& name) const { return {(folder_ / name).string()}; }
  TemporaryFolder folder_;
};

TEST_F(EncodedReaderTest, ReadsWhatIsInThePng) {
  const auto reader = this->reader();
  std::vector<float> pixels(kValues, 9);
  std::vector<Reason> reasons(1, Reason::corrupt);
  reader->read(0, std::vector{at("good.png")}, pixels, reasons);
  EXPECT_THAT(reasons, Each(Reason::none));
  std::vector<std::uint8_t> bytes(kValues, 9);
  ASSERT_TRUE(reader->gives_bytes());
  reader->read_bytes(0, std::vector{at("good.png")}, bytes, reasons);
  EXPECT_THAT(reasons, Each(Reason::none));
  for (std::size_t i = 0; i < kValues; ++i) {
    EXPECT_EQ(bytes[i], i);
    EXPECT_EQ(pixels[i % 3 * 64 + i / 3], static_cast<float>(i) / 255.0F);
  }
}

TEST_F(EncodedReaderTest, ASampleInATarIsTheSame) {
  for (const char* name : {"good.png", "good.jpg"}) {
    write(folder_ / "x.tar",
          testing::tar_entry("first", "x") + testing::tar_entry(name, read_file(folder_ / name)));
    const Location part{(folder_ / "x.tar").string(), 1536, fs::file_size(folder_ / name)};
    std::vector<float> pixels(2 * kValues);
    std::vector<Reason> reasons(2, Reason::corrupt);
    reader()->read(0, std::vector{part, at(name)}, pixels, reasons);
    EXPECT_THAT(reasons, Each(Reason::none));
    EXPECT_EQ(std::vector(pixels.begin(), pixels.begin() + kValues),
              std::vector(pixels.begin() + kValues, pixels.end()));
  }
}

TEST_F(EncodedReaderTest, LeavesZerosWhereThereIsNoImage) {
  write(folder_ / "empty.jpg");
  write(folder_ / "large.jpg", std::string(5000, 'x'));
  write(folder_ / "text.jpg", "no image at all");
  write(folder_ / "cut.png", read_file(folder_ / "good.png").substr(0, 50));
  fs::create_directories(folder_ / "folder.jpg");
  const std::vector<Location> locations{
      at("good.png"), at("empty.jpg"), at("large.jpg"),
      at("text.jpg"), at("cut.png"),   at("folder.jpg"),
      at("none.jpg"), at("good.jpg"),  {(folder_ / "good.png").string(), 512, 0}};
  std::vector<float> pixels(locations.size() * kValues, 9);
  std::vector<Reason> reasons(locations.size(), Reason::corrupt);
  reader()->read(0, locations, pixels, reasons);
  EXPECT_THAT(reasons, ::testing::ElementsAre(Reason::none, Reason::empty_file, Reason::file_too_large,
                                              Reason::not_an_image, Reason::truncated, Reason::not_a_file,
                                              Reason::missing, Reason::none, Reason::empty_file));
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    const std::vector image(pixels.begin() + static_cast<std::ptrdiff_t>(i * kValues),
                            pixels.begin() + static_cast<std::ptrdiff_t>((i + 1) * kValues));
    if (reasons[i] != Reason::none) {
      EXPECT_THAT(image, Each(0.0F)) << i;
    } else {
      EXPECT_THAT(image, ::testing::Contains(::testing::Gt(0.0F))) << i;
    }
  }
}

/// A sample may be missing; a whole shard or folder is no sample's fault.
TEST_F(EncodedReaderTest, WhatGoesWithItsFolderOrShardIsNotMissing) {
  const auto reader = this->reader();
  std::vector<float> pixels(kValues);
  std::vector<Reason> reasons(1);
  const auto error_at = [&](const Location& location) {
    return error_of([&] { return reader->read(0, std::vector{location}, pixels, reasons), 0; });
  };
  const auto [shard_code, shard_text] = error_at({(folder_ / "gone.tar").string(), 512, 100});
  EXPECT_EQ(shard_code, ExitCode::io_error);
  EXPECT_THAT(shard_text, HasSubstr("gone.tar: the shard has gone"));
  reader->read(0, std::vector{at("none.jpg")}, pixels, reasons);
  EXPECT_THAT(reasons, Each(Reason::missing));
  fs::remove_all(folder_.path());
  const auto [code, text] = error_at(at("good.png"));
  EXPECT_EQ(code, ExitCode::io_error);
  EXPECT_THAT(text, HasSubstr("the folder has gone while the run was reading from it"));
}

TEST_F(EncodedReaderTest, TroubleThatStaysEndsTheRun) {
  FileCalls calls;
  calls.open = [](const char*) { return errno = EIO, -1; };
  calls.pause = [](std::chrono::milliseconds) {};
  std::vector<float> pixels(kValues);
  std::vector<Reason> reasons(1);
  const auto reader = this->reader(calls);
  const auto [code, text] =
      error_of([&] { return reader->read(0, std::vector{at("good.png")}, pixels, reasons), 0; });
  EXPECT_EQ(code, ExitCode::io_error);
  EXPECT_THAT(text, HasSubstr("good.png: cannot be read: Input/output error"));
}

TEST_F(EncodedReaderTest, RefusesBuffersThatDoNotFit) {
  std::vector<float> pixels(kValues);
  std::vector<Reason> reasons(1);
  const auto reader = this->reader();
  EXPECT_EQ(error_of([&] { return reader->read(0, {}, pixels, reasons), 0; }).first, ExitCode::internal);
  pixels.pop_back();
  EXPECT_EQ(error_of([&] { return reader->read(0, std::vector{at("good.png")}, pixels, reasons), 0; }).first,
            ExitCode::internal);
}

}  // namespace
}  // namespace polyhead::data
