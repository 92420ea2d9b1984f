#include "image/pnm/pnm.hpp"

#include <fstream>
#include <iterator>
#include <map>

#include <gmock/gmock.h>

#include "../support.hpp"
#include "polyhead/image/decode.hpp"

namespace polyhead::image {
namespace {

using polyhead::testing::TemporaryFolder;

constexpr std::uint64_t kPnmPixels = 10'000;

std::string pnm_content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Bytes of all values, in no order that an image would have.
std::string values(std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(i * 97 + i / 256 * 31);
  return bytes;
}

/// Files that Pillow reads or refuses, by their names.
std::map<std::string, std::string> files() {
  std::map<std::string, std::string> made;
  for (int maxval = 1; maxval <= 255; ++maxval) {
    made[fmt::format("maxval_{}", maxval)] = fmt::format("P5\n16 16\n{}\n{}", maxval, values(256));
  }
  const std::string colours = values(3 * 19 * 31);
  made["wide"] = "P6\n31 19\n255\n" + colours;
  made["tall"] = "P6\n19 31\n255\n" + colours;
  made["scaled"] = "P6 19\t31\r100\n" + colours;
  made["comments"] = "P6\n# by hand\n31 #width\n#\r19\n\n 255\n" + colours;
  made["comment_in_a_number"] = "P6 3#x\n1 19 255 " + colours;
  made["comment_behind_maxval"] = "P6 31 19 255#x\n\n" + colours;
  made["zeros_before"] = "P6 0000000031 019 0255\n" + colours;
  made["carriage_return"] = "P6\r\n31 19\r\n255\r" + colours;
  made["pixels_like_blanks"] = "P5 16 16 255\n" + std::string(256, '\n');
  made["more_behind"] = "P5 16 16 255\n" + values(300);
  made["eleven_digits"] = "P6 00000000031 19 255\n" + colours;
  made["letters"] = "P6 31a 19 255\n" + colours;
  made["signed"] = "P6 -31 19 255\n" + colours;
  made["no_width"] = "P6 0 19 255\n" + colours;
  made["no_maxval"] = "P6 31 19 0\n" + colours;
  made["large_maxval"] = "P6 31 19 65536\n" + colours;
  made["longer_magic"] = "P6x 31 19 255\n" + colours;
  made["comment_in_the_magic"] = "P6#x\n31 19 255\n" + colours;
  for (const std::size_t left : {0, 1, 2, 3, 5, 8, 12, 13, 14, 1000, 1779}) {
    made[fmt::format("cut_{}", left)] = made["wide"].substr(0, left);
  }
  return made;
}

/// What a decoder makes of a file at one size; nothing where it refuses it.
std::vector<float> decoded(const std::string& file, std::optional<int> resize, config::PreprocessMode mode) {
  config::Preprocess preprocess;
  preprocess.resize = resize;
  preprocess.crop = 16;
  preprocess.mode = mode;
  ImageDecoder decode(preprocess, kPnmPixels, CodecSet::all);
  std::vector<float> pixels(std::size_t{3} * 16 * 16);
  return decode(std::as_bytes(std::span(file)), pixels) == Reason::none ? pixels : std::vector<float>();
}

TEST(Pnm, ReadsAndRefusesWhatPillowDoesAndToItsPixels) {
  const TemporaryFolder folder;
  const auto made = files();
  for (const auto& [name, bytes] : made) static_cast<void>(folder.write(name, bytes));
  ASSERT_EQ(
      polyhead::testing::run_python("image/pillow_pixels.py", fmt::format("'{}'", folder.path().string())),
      0);
  int read = 0;
  for (const auto& [name, bytes] : made) {
    const std::string png = pnm_content(folder / (name + ".png"));
    read += png.empty() ? 0 : 1;
    for (const std::optional<int> resize : {std::optional<int>(), std::optional(16), std::optional(23)}) {
      for (const auto mode : {config::PreprocessMode::exact, config::PreprocessMode::fast}) {
        EXPECT_EQ(decoded(bytes, resize, mode),
                  png.empty() ? std::vector<float>() : decoded(png, resize, mode))
            << name << " resize " << resize.value_or(0);
      }
    }
  }
  EXPECT_GT(read, 260);
  EXPECT_GT(static_cast<int>(made.size()) - read, 15);
}

Reason reason_of(const std::string& file) {
  return PnmReader(kPnmPixels).open(std::as_bytes(std::span(file)));
}

TEST(Pnm, SaysWhyAFileIsBad) {
  EXPECT_EQ(reason_of("P5 2 2 255\nabcd"), Reason::none);
  EXPECT_EQ(reason_of("P5 2 2 255\nabc"), Reason::truncated);
  EXPECT_EQ(reason_of("P5 2 2"), Reason::truncated);
  EXPECT_EQ(reason_of("P5"), Reason::truncated);
  EXPECT_EQ(reason_of("P5 two 2 255\nabcd"), Reason::corrupt);
  EXPECT_EQ(reason_of("P5 +2 2 255\nabcd"), Reason::corrupt);
  EXPECT_EQ(reason_of("P5 2 0 255\nabcd"), Reason::corrupt);
  EXPECT_EQ(reason_of("P5 2 2 70000\nabcd"), Reason::corrupt);
  EXPECT_EQ(reason_of("P5 2 2 65535\nabcdefgh"), Reason::unsupported);
  EXPECT_EQ(reason_of("P5 101 100 255\n"), Reason::too_many_pixels);
  EXPECT_EQ(reason_of("P5 9999999999 9999999999 255\n"), Reason::too_many_pixels);
}

/// Its suffixes are those of files that were always left out of folders.
TEST(Pnm, IsNotReadByJobs) {
  config::Preprocess preprocess;
  preprocess.crop = 1;
  std::vector<float> pixels(3);
  const std::string file = "P6\n1 1\n255\nabc";
  EXPECT_EQ(ImageDecoder(preprocess, kPnmPixels)(std::as_bytes(std::span(file)), pixels),
            Reason::other_image);
}

}  // namespace
}  // namespace polyhead::image
