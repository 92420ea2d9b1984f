#include "image/codec_table.hpp"

#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "polyhead/image/codecs.hpp"
#include "polyhead/image/file_kind.hpp"
#include "polyhead/image/image_names.hpp"

namespace polyhead::image {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(CodecTable, HasNoSignatureTwiceAndNoneThatHidesAnother) {
  std::vector<std::string_view> signatures;
  for (const Codec& codec : all_codecs()) {
    ASSERT_THAT(codec.signatures, Not(IsEmpty())) << codec.name;
    for (const std::string_view signature : codec.signatures) {
      EXPECT_GE(signature.size(), 2U) << codec.name;
      for (const std::string_view other : signatures) {
        EXPECT_FALSE(signature.starts_with(other) || other.starts_with(signature)) << codec.name;
      }
      signatures.push_back(signature);
    }
  }
}

TEST(CodecTable, HasNoSuffixTwiceAndNoneThatIsNotOne) {
  std::set<std::string_view> suffixes;
  for (const Codec& codec : all_codecs()) {
    ASSERT_THAT(codec.suffixes, Not(IsEmpty())) << codec.name;
    for (const std::string_view suffix : codec.suffixes) {
      EXPECT_TRUE(suffixes.insert(suffix).second) << suffix;
      EXPECT_TRUE(suffix.starts_with('.')) << suffix;
      EXPECT_LE(suffix.size(), 5U) << suffix;
      EXPECT_EQ(suffix, lower(suffix));
    }
  }
}

TEST(CodecTable, IsWholeInEachRow) {
  std::set<std::string_view> names;
  for (const Codec& codec : all_codecs()) {
    EXPECT_TRUE(names.insert(codec.name).second) << codec.name;
    EXPECT_THAT(std::string(codec.kind),
                ::testing::AllOf(::testing::StartsWith("a"), ::testing::EndsWith(" image")));
    EXPECT_THAT(codec.version(), Not(IsEmpty())) << codec.name;
    EXPECT_GT(codec.max_memory({1e6, 1e6, 1e6}), 1e6) << codec.name;
    EXPECT_NE(codec.make(1), nullptr) << codec.name;
  }
}

/// What is not in use changes nothing: no list of samples, no reason, no fingerprint.
TEST(CodecTable, IsWhatIsRead) {
  const std::set<std::string_view> suffixes{".jpg", ".jpeg", ".png"};
  for (const Codec& codec : all_codecs()) {
    const auto kind = kind_of(bytes(codec.signatures[0]));
    EXPECT_EQ(kind && kind->is_read, codec.in_use) << codec.name;
    EXPECT_EQ(codec_fingerprint().find(codec.version()) != std::string::npos, codec.in_use) << codec.name;
    for (const std::string_view suffix : codec.suffixes) {
      EXPECT_EQ(is_image_suffix(suffix), codec.in_use) << suffix;
      EXPECT_EQ(is_image_name(fmt::format("a{}", suffix)), codec.in_use) << suffix;
      EXPECT_EQ(suffixes.contains(suffix), codec.in_use) << suffix;
    }
  }
  EXPECT_FALSE(is_image_suffix(".seg.png"));
  EXPECT_TRUE(is_image_name("A.JPEG"));
}

TEST(CodecTable, NamesTheFormatsInMessages) {
  EXPECT_EQ(image_formats(), "JPEG and PNG");
  EXPECT_EQ(image_suffixes(), ".jpg, .jpeg or .png");
  EXPECT_EQ(image_suffixes("KEY"), "KEY.jpg, KEY.jpeg or KEY.png");
  EXPECT_EQ(image_suffix_list(), ".jpg, .jpeg, .png");
  EXPECT_THAT(way_on(KindFamily::image), HasSubstr("a folder of JPEG and PNG images, or"));
}

TEST(CodecTable, FindsTheCodecByTheFirstBytes) {
  const std::vector<Codec>& codecs = all_codecs();
  for (const Codec& codec : codecs) {
    for (const std::string_view signature : codec.signatures) {
      EXPECT_EQ(find_codec(codecs, bytes(fmt::format("{} and more", signature))), &codec);
      EXPECT_EQ(find_codec(codecs, bytes(signature.substr(0, signature.size() - 1))), nullptr) << codec.name;
    }
  }
  EXPECT_EQ(find_codec(codecs, {}), nullptr);
}

}  // namespace
}  // namespace polyhead::image
