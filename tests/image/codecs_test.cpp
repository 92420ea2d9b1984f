#include "polyhead/image/codecs.hpp"

#include <gmock/gmock.h>

#include "polyhead/image/resize.hpp"

namespace polyhead::image {
namespace {

using ::testing::EndsWith;
using ::testing::MatchesRegex;

TEST(CodecFingerprint, NamesEachVersion) {
  EXPECT_THAT(codec_fingerprint(),
              MatchesRegex("libjpeg-turbo [0-9]+\\.[0-9]+\\.[0-9]+ \\([0-9]+-[0-9]+\\); libpng "
                           "[0-9]+\\.[0-9]+\\.[0-9]+; resampling [0-9]+"));
  EXPECT_THAT(codec_fingerprint(), EndsWith("resampling " + std::to_string(kResamplingVersion)));
}

}  // namespace
}  // namespace polyhead::image
