#include "image/jpeg/scan_decoder.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "entropy_pair.hpp"
#include "jpeg_writer.hpp"

namespace polyhead::image {
namespace {

using testing::JpegResult;
using testing::JpegStyle;
using testing::JpegSubject;
using testing::JpegView;
using testing::write_jpeg;

constexpr JpegView kWhole;
/// Of which the decoder passes over the most.
constexpr JpegView kCorner{1, 6, 8};
constexpr JpegView kMiddle{1, 3, 4};
constexpr JpegView kHalf{2, 2, 7};
constexpr JpegView kEighth{8, 0, 8};
constexpr JpegView kViews[] = {kWhole, kCorner, kMiddle, kHalf, kEighth};

/// Both decoders on the same files. What they make of one must not differ.
class ScanDecoderTest : public ::testing::Test {
 protected:
  /// Whether ours decoded it.
  bool compare(const std::string& file, JpegView view) {
    const auto bytes = std::as_bytes(std::span(file));
    last_ = library_.read(bytes, view);
    const JpegResult result = own_.read(bytes, view);
    EXPECT_EQ(result.reason, last_.reason);
    EXPECT_TRUE(result.pixels == last_.pixels);
    EXPECT_FALSE(library_.decoded_entropy());
    return own_.decoded_entropy();
  }
  [[nodiscard]] Reason reason() const { return last_.reason; }

  bool decodes_all(const JpegStyle& style, unsigned seed) {
    const std::string file = write_jpeg(style, seed);
    bool all = true;
    for (const JpegView view : kViews) {
      all = compare(file, view) && all;
      EXPECT_EQ(reason(), Reason::none);
    }
    return all;
  }

 private:
  JpegSubject own_{true};
  JpegSubject library_{false};
  JpegResult last_;
};

TEST_F(ScanDecoderTest, DecodesSequentialFilesAsTheLibraryDoes) {
  unsigned seed = 0;
  for (const int quality : {1, 10, 50, 75, 90, 95, 100}) {
    for (const auto& [width, height] :
         {std::pair(1, 1), std::pair(16, 16), std::pair(70, 41), std::pair(200, 150)}) {
      for (const int components : {1, 3, 4}) {
        for (const unsigned restart : {0U, 1U, 3U, 40U}) {
          for (const bool optimised : {false, true}) {
            JpegStyle style{.width = width, .height = height, .components = components, .quality = quality};
            style.restart = restart;
            style.optimised = optimised;
            EXPECT_TRUE(decodes_all(style, ++seed))
                << width << " " << components << " " << quality << " " << restart << optimised;
          }
        }
      }
    }
  }
}

TEST_F(ScanDecoderTest, KnowsAllSamplingFactors) {
  for (const int components : {1, 3, 4}) {
    for (int across = 1; across <= 4; ++across) {
      for (int down = 1; down <= 4; ++down) {
        for (const bool all : {false, true}) {
          const int blocks = across * down * (all ? components : 1) + (all ? 0 : components - 1);
          if (components > 1 && blocks > 10) continue;
          JpegStyle style{
              .width = 97, .height = 83, .components = components, .across = across, .down = down};
          style.all_sampled = all;
          style.restart = static_cast<unsigned>(across);
          EXPECT_TRUE(decodes_all(style, static_cast<unsigned>(down))) << components << across << down << all;
        }
      }
    }
  }
}

TEST_F(ScanDecoderTest, LeavesAllOthersToTheLibrary) {
  EXPECT_FALSE(decodes_all({.progressive = true}, 1));
  EXPECT_FALSE(decodes_all({.arithmetic = true}, 1));
  EXPECT_FALSE(decodes_all({.separate = true}, 1));
}

/// No part of a file is missed, wherever it is cut, and what follows the cut does not matter.
TEST_F(ScanDecoderTest, JudgesCutFilesAsTheLibraryDoes) {
  for (const JpegStyle& style :
       {JpegStyle{}, JpegStyle{.components = 1, .quality = 100}, JpegStyle{.restart = 2}}) {
    const std::string file = write_jpeg(style, 3);
    for (std::size_t size = 0; size < file.size(); ++size) {
      compare(file.substr(0, size), kMiddle);
      EXPECT_TRUE(reason() != Reason::none || size >= file.size() - 2) << size;
      const bool own = compare(file.substr(0, size) + "\xFF\xD9", kWhole);
      EXPECT_TRUE(!own || reason() != Reason::none || size >= file.size() - 3) << size;
    }
  }
}

/// Damages `file` in up to three places, behind its headers more often than in them.
std::string damaged(std::string file, std::minstd_rand& random) {
  const std::size_t scan = file.find("\xFF\xDA") + 10;
  for (std::size_t left = 1 + random() % 3; left > 0; --left) {
    const std::size_t from = random() % 8 == 0 ? 2 : scan;
    const std::size_t at = from + random() % (file.size() - from);
    const char value = random() % 4 == 0 ? '\xFF' : static_cast<char>(random());
    switch (random() % 4) {
      case 0:
        file.erase(at, 1 + random() % 4);
        break;
      case 1:
        file.insert(at, 1, value);
        break;
      case 2:
        file[at] = static_cast<char>(file[at] ^ (1 << random() % 8));
        break;
      default:
        file[at] = value;
    }
    if (file.size() < scan + 8) break;
  }
  return file;
}

TEST_F(ScanDecoderTest, JudgesDamagedFilesAsTheLibraryDoes) {
  std::minstd_rand random(5);
  std::size_t own = 0;
  std::size_t given_up = 0;
  for (unsigned number = 0; number < 6000; ++number) {
    JpegStyle style{.components = number % 3 == 0 ? 1 : number % 3 == 1 ? 3 : 4};
    style.quality = static_cast<int>(40 + random() % 61);
    style.restart = random() % 3;
    style.optimised = random() % 2 == 0;
    const std::string file = damaged(write_jpeg(style, number % 50), random);
    const bool decoded = compare(file, kViews[number % std::size(kViews)]);
    if (reason() == Reason::none) ++(decoded ? own : given_up);
    ASSERT_FALSE(HasFailure()) << number;
  }
  EXPECT_GT(own, 300U);  // damage that is none to the decoder
  EXPECT_GT(given_up, 300U);
}

/// Bytes that no marker can be taken for, between the last unit of a segment and its end.
TEST_F(ScanDecoderTest, PassesOverWhatFollowsTheLastUnit) {
  const std::string file = write_jpeg({.restart = 1}, 2);
  for (const char* marker : {"\xFF\xD0", "\xFF\xD9"}) {
    std::string longer = file;
    longer.insert(longer.rfind(marker), std::string("abc\xFF\0def", 8));
    EXPECT_TRUE(compare(longer, kWhole));
    EXPECT_EQ(reason(), Reason::none);
  }
}

}  // namespace
}  // namespace polyhead::image
