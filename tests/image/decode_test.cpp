#include "polyhead/image/decode.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "../support.hpp"
#include "polyhead/image/preprocess.hpp"

namespace polyhead::image {
namespace {

namespace fs = std::filesystem;
using config::Interpolation;
using config::PreprocessMode;

constexpr std::uint64_t kMaxPixels = std::uint64_t{1} << 26U;

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::span<const std::byte> bytes(const std::string& file) {
  return std::as_bytes(std::span(file));
}

config::Preprocess steps(std::optional<int> resize, int crop) {
  config::Preprocess preprocess;
  preprocess.resize = resize;
  preprocess.crop = crop;
  preprocess.mean = {0.485, 0.456, 0.406};
  preprocess.std = {0.229, 0.224, 0.225};
  return preprocess;
}

std::size_t values(const config::Preprocess& preprocess) {
  return 3U * static_cast<std::size_t>(*preprocess.crop) * static_cast<std::size_t>(*preprocess.crop);
}

/// The oracle's files, made once for all tests.
class Decode : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<polyhead::testing::TemporaryFolder>();
    made_ =
        polyhead::testing::run_python("data/decode_oracle.py", fmt::format("'{}'", folder_->path().string()));
  }
  static void TearDownTestSuite() { folder_.reset(); }
  void SetUp() override { ASSERT_EQ(made_, 0); }
  [[nodiscard]] static fs::path path(const std::string& name) { return *folder_ / name; }

 private:
  static std::unique_ptr<polyhead::testing::TemporaryFolder> folder_;
  static int made_;
};

std::unique_ptr<polyhead::testing::TemporaryFolder> Decode::folder_;
int Decode::made_ = -1;

/// One line of cases.txt.
struct Case {
  std::string file;
  config::Preprocess preprocess;
};

std::istream& operator>>(std::istream& in, Case& item) {
  std::string resize;
  std::string interpolation;
  int crop = 0;
  in >> item.file >> resize >> crop >> interpolation;
  if (!in) return in;
  item.preprocess = steps(resize == "-" ? std::nullopt : std::optional(std::stoi(resize)), crop);
  if (interpolation == "bicubic") item.preprocess.interpolation = Interpolation::bicubic;
  return in;
}

std::size_t different(const std::vector<float>& a, const std::vector<float>& b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    count += std::bit_cast<std::uint32_t>(a[i]) == std::bit_cast<std::uint32_t>(b[i]) ? 0U : 1U;
  }
  return count;
}

TEST_F(Decode, MatchesPillowAndTorchvisionBitForBit) {
  std::ifstream cases(path("cases.txt"));
  std::ifstream reference(path("expected.f32"), std::ios::binary);
  std::size_t seen = 0;
  for (Case item; cases >> item; ++seen) {
    std::vector<float> expected(values(item.preprocess));
    reference.read(reinterpret_cast<char*>(expected.data()),
                   static_cast<std::streamsize>(expected.size() * sizeof(float)));
    ASSERT_TRUE(reference);
    std::vector<float> pixels(expected.size());
    ImageDecoder decode(item.preprocess, kMaxPixels);
    EXPECT_EQ(decode(bytes(content(path(item.file))), pixels), Reason::none) << item.file;
    EXPECT_EQ(different(pixels, expected), 0U)
        << item.file << " resize " << item.preprocess.resize.value_or(0) << " crop " << *item.preprocess.crop;
  }
  EXPECT_GT(seen, 3000U);
}

int largest_difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  int largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

/// Accepted and refused as by Pillow, and what is accepted has Pillow's pixels.
TEST_F(Decode, JudgesDamagedFilesAsPillowDoes) {
  std::ifstream verdicts(path("verdicts.txt"));
  std::ifstream reference(path("expected.u8"), std::ios::binary);
  ImageDecoder decode(steps(16, 16), kMaxPixels);
  std::string name;
  std::size_t seen = 0;
  for (bool accepted = false; verdicts >> name >> accepted; ++seen) {
    std::vector<std::uint8_t> pixels(768);
    const Reason reason = decode(bytes(content(path(name))), pixels);
    EXPECT_EQ(reason == Reason::none, accepted) << name << ": " << describe(reason);
    if (!accepted) continue;
    std::vector<std::uint8_t> expected(768);
    reference.read(reinterpret_cast<char*>(expected.data()), 768);
    ASSERT_TRUE(reference);
    // Pillow's wheel has a newer libjpeg-turbo, which smooths the blocks of unfinished images a bit
    // otherwise.
    const bool smoothed = name.starts_with("damaged_scans_");
    if (reason == Reason::none) {
      EXPECT_LE(largest_difference(pixels, expected), smoothed ? 12 : 0) << name;
    }
  }
  EXPECT_GT(seen, 500U);
}

TEST_F(Decode, NamesTheReason) {
  ImageDecoder decode(steps(16, 16), 100000);
  std::vector<float> out(768);
  const auto reason = [&](const std::string& file) { return decode(bytes(file), out); };
  const std::string jpeg = content(path("420_129x97.jpg"));
  const std::string png = content(path("2_8_0_129x97.png"));
  EXPECT_EQ(reason(""), Reason::empty_file);
  EXPECT_EQ(reason("<html>404 not found</html>"), Reason::web_page);
  EXPECT_EQ(reason("\xFF\xD8"), Reason::not_an_image);
  EXPECT_EQ(reason("no image at all"), Reason::not_an_image);
  EXPECT_EQ(reason("GIF89a"), Reason::gif);
  EXPECT_EQ(reason(std::string("RIFF\0\0\0\0WEBPVP8 ", 16)), Reason::webp);
  EXPECT_EQ(reason(std::string("\0\0\0\x1C"
                               "ftypavif",
                               12)),
            Reason::heif);
  EXPECT_EQ(reason("version https://git-lfs.github.com/spec/v1\n"), Reason::lfs_pointer);
  EXPECT_EQ(reason(std::string("\0\5\x16\7", 4)), Reason::attributes);
  EXPECT_EQ(reason("%PDF-1.4"), Reason::other_kind);
  for (const std::size_t size : {std::size_t{3}, std::size_t{100}, jpeg.size() / 2, jpeg.size() - 100}) {
    EXPECT_EQ(reason(jpeg.substr(0, size)), Reason::truncated) << size;
  }
  for (const std::size_t size : {std::size_t{8}, std::size_t{30}, png.size() / 2, png.size() - 100}) {
    EXPECT_EQ(reason(png.substr(0, size)), Reason::truncated) << size;
  }
  EXPECT_EQ(reason(content(path("damaged_header.png"))), Reason::corrupt);
  EXPECT_EQ(reason(content(path("damaged_12bit.jpg"))), Reason::unsupported);
  EXPECT_EQ(reason(content(path("damaged_two_layers.jpg"))), Reason::unsupported);
  EXPECT_EQ(reason(content(path("420_375x500.jpg"))), Reason::too_many_pixels);
  EXPECT_EQ(reason(jpeg), Reason::none);  // nothing of the bad ones is left
}

void put_size(std::string& file, std::size_t at, std::uint32_t size, int digits) {
  for (int i = digits - 1; i >= 0; --i, size >>= 8U)
    file[at + static_cast<std::size_t>(i)] = static_cast<char>(size);
}

TEST_F(Decode, AllocatesNothingForWhatAHeaderClaims) {
  ImageDecoder decode(steps(16, 16), kMaxPixels);
  std::vector<float> out(768);
  std::string jpeg = content(path("420_129x97.jpg"));
  const std::size_t frame = jpeg.find("\xFF\xC0");
  for (const std::uint32_t side : {60000U, 65535U}) {
    put_size(jpeg, frame + 5, side, 2);
    put_size(jpeg, frame + 7, side, 2);
    EXPECT_EQ(decode(bytes(jpeg), out), Reason::too_many_pixels);
  }
  std::string png = content(path("2_8_0_129x97.png"));
  put_size(png, 16, 0x7FFFFFFF, 4);
  put_size(png, 20, 0x7FFFFFFF, 4);
  const Reason reason = decode(bytes(png), out);
  EXPECT_TRUE(reason == Reason::corrupt || reason == Reason::too_many_pixels);  // its checksum is wrong, too
}

TEST_F(Decode, RefusesWhatIsSmallerThanTheCrop) {
  std::vector<float> out(values(steps({}, 130)));
  for (const char* name : {"420_129x97.jpg", "2_8_0_129x97.png"}) {
    const std::string file = content(path(name));
    EXPECT_EQ(ImageDecoder(steps({}, 98), kMaxPixels)(bytes(file), out), Reason::too_small);
    EXPECT_EQ(ImageDecoder(steps(100, 130), kMaxPixels)(bytes(file), out), Reason::too_small);
    EXPECT_EQ(ImageDecoder(steps(130, 130), kMaxPixels)(bytes(file), out), Reason::none);
  }
}

/// 150 scans are unusual, 600 an attack.
TEST_F(Decode, LimitsTheNumberOfScans) {
  const std::string file = content(path("progressive_48x65.jpg"));
  const std::size_t second = file.find("\xFF\xDA", file.find("\xFF\xDA") + 2);
  const std::size_t third = file.find("\xFF\xDA", second + 2);
  const std::string scan = file.substr(second, third - second);
  const auto with_scans = [&](int count) {
    std::string bomb = file.substr(0, second);
    for (int i = 0; i < count; ++i) bomb += scan;
    return bomb + file.substr(second);
  };
  ImageDecoder decode(steps({}, 16), kMaxPixels);
  std::vector<float> out(768);
  EXPECT_EQ(decode(bytes(with_scans(150)), out), Reason::none);
  EXPECT_EQ(decode(bytes(with_scans(600)), out), Reason::corrupt);
}

TEST_F(Decode, FloatsAreTheBytesNormalised) {
  for (const char* name : {"420_375x500.jpg", "cmyk_375x500.jpg", "pillow_RGBA_129x97.png"}) {
    const std::string file = content(path(name));
    const auto preprocess = steps(100, 83);
    ImageDecoder decode(preprocess, kMaxPixels);
    std::vector<float> floats(values(preprocess));
    std::vector<std::uint8_t> pixels(floats.size());
    ASSERT_EQ(decode(bytes(file), floats), Reason::none);
    ASSERT_EQ(decode(bytes(file), pixels), Reason::none);
    std::vector<float> expected(floats.size());
    const std::size_t plane = pixels.size() / 3;
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      const float value = static_cast<float>(pixels[i]) / 255.0F;
      const auto mean = static_cast<float>(preprocess.mean[i % 3]);
      expected[i % 3 * plane + i / 3] = (value - mean) / static_cast<float>(preprocess.std[i % 3]);
    }
    EXPECT_EQ(different(floats, expected), 0U) << name;
  }
}

std::vector<std::uint8_t> middle(const std::string& file, int side, PreprocessMode mode) {
  auto preprocess = steps({}, side);
  preprocess.mode = mode;
  std::vector<std::uint8_t> pixels(values(preprocess));
  EXPECT_EQ(ImageDecoder(preprocess, kMaxPixels)(bytes(file), pixels), Reason::none);
  return pixels;
}

std::vector<std::uint8_t> cut(const std::vector<std::uint8_t>& pixels, int side, int crop) {
  const Geometry geometry = geometry_of(steps({}, crop), {side, side});
  std::vector<std::uint8_t> part;
  for (int y = 0; y < crop; ++y) {
    const auto begin = pixels.begin() + std::ptrdiff_t{3} * ((geometry.top + y) * side + geometry.left);
    part.insert(part.end(), begin, begin + std::ptrdiff_t{3} * crop);
  }
  return part;
}

void expect_parts_of_whole(const std::string& file, int side, const std::string& name) {
  const auto whole = middle(file, side, PreprocessMode::exact);
  for (int crop = 1; crop < side; crop += 3) {
    EXPECT_EQ(middle(file, crop, PreprocessMode::exact), cut(whole, side, crop)) << name << " " << crop;
  }
}

/// What the decoder leaves out does not change what it gives.
TEST_F(Decode, PartsHaveTheBitsOfTheWhole) {
  for (const auto& entry : fs::directory_iterator(path(""))) {
    const std::string name = entry.path().filename().string();
    for (const int side : {96, 130, 161}) {
      if (name.find(fmt::format("_{0}x{0}.", side)) == std::string::npos) continue;
      expect_parts_of_whole(content(entry.path()), side, name);
    }
  }
}

/// Where scans are missing, blocks are smoothed towards those around them.
TEST_F(Decode, PartsOfUnfinishedImagesHaveTheBitsOfTheWhole) {
  for (const int side : {96, 130, 161}) {
    const std::string file = content(path(fmt::format("progressive_{0}x{0}.jpg", side)));
    std::size_t scan = file.find("\xFF\xDA");
    for (int scans = 1; scans < 6; ++scans) {
      scan = file.find("\xFF\xDA", scan + 2);
      expect_parts_of_whole(file.substr(0, scan) + "\xFF\xD9", side, fmt::format("{} scans", scans));
    }
  }
}

double mean_difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum / static_cast<double>(a.size());
}

TEST_F(Decode, FastIsNearExact) {
  for (const auto& entry : fs::directory_iterator(path("photos"))) {
    for (const int resize : {256, 72}) {
      auto preprocess = steps(resize, resize - 8);
      std::vector<std::uint8_t> exact(values(preprocess));
      std::vector<std::uint8_t> fast(exact.size());
      const std::string file = content(entry.path());
      ASSERT_EQ(ImageDecoder(preprocess, kMaxPixels)(bytes(file), exact), Reason::none);
      preprocess.mode = PreprocessMode::fast;
      ASSERT_EQ(ImageDecoder(preprocess, kMaxPixels)(bytes(file), fast), Reason::none);
      EXPECT_LT(mean_difference(exact, fast), 3.0) << entry.path() << " resize " << resize;
    }
  }
}

TEST_F(Decode, FastIsExactWithoutResizing) {
  auto preprocess = steps({}, 97);
  const std::string file = content(path("420_129x97.jpg"));
  std::vector<float> exact(values(preprocess));
  std::vector<float> fast(exact.size());
  ASSERT_EQ(ImageDecoder(preprocess, kMaxPixels)(bytes(file), exact), Reason::none);
  preprocess.mode = PreprocessMode::fast;
  ASSERT_EQ(ImageDecoder(preprocess, kMaxPixels)(bytes(file), fast), Reason::none);
  EXPECT_EQ(different(exact, fast), 0U);
}

/// One object for many files gives what a fresh one gives.
TEST_F(Decode, KeepsNothingOfTheFileBefore) {
  const auto preprocess = steps(24, 21);
  ImageDecoder reused(preprocess, kMaxPixels);
  for (const char* name : {"420_375x500.jpg", "damaged_baseline_849.jpg", "gray_8x8.jpg", "3_4_1_129x97.png",
                           "damaged_png_1647.png", "cmyk_16x16.jpg", "6_16_1_31x64.png", "420_375x500.jpg"}) {
    const std::string file = content(path(name));
    std::vector<float> first(values(preprocess));
    std::vector<float> second(values(preprocess));
    const Reason reason = reused(bytes(file), first);
    EXPECT_EQ(ImageDecoder(preprocess, kMaxPixels)(bytes(file), second), reason) << name;
    if (reason == Reason::none) {
      EXPECT_EQ(different(first, second), 0U) << name;
    }
  }
  // Without Huffman tables a file takes the standard ones, not those of the file before.
  std::string bare = content(path("optimised_48x65.jpg"));
  const std::size_t tables = bare.find("\xFF\xC4");
  bare.erase(tables, bare.find("\xFF\xDA") - tables);
  std::vector<float> first(values(preprocess));
  std::vector<float> second(values(preprocess));
  reused(bytes(content(path("optimised_48x65.jpg"))), first);
  const Reason reason = reused(bytes(bare), first);
  EXPECT_EQ(ImageDecoder(preprocess, kMaxPixels)(bytes(bare), second), reason);
  if (reason == Reason::none) {
    EXPECT_EQ(different(first, second), 0U);
  }
}

}  // namespace
}  // namespace polyhead::image
