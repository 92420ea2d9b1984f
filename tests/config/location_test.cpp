#include "polyhead/config/location.hpp"

#include <gtest/gtest.h>

namespace polyhead::config {
namespace {

TEST(Location, NamesLineAndColumnOfAFile) {
  EXPECT_EQ((Location{"a.yaml", 3, 7}).str(), "a.yaml:3:7");
}

TEST(Location, HasNoLinesOnTheCommandLine) {
  EXPECT_EQ((Location{"--set a=b", 0, 0}).str(), "--set a=b");
}

TEST(ConfigError, IsALineAnIssue) {
  const ConfigError error(ExitCode::config, {{{"a.yaml", 1, 2}, "first"}, {{"a.yaml", 3, 4}, "second"}});
  EXPECT_STREQ(error.what(), "a.yaml:1:2: first\na.yaml:3:4: second");
  EXPECT_EQ(error.code(), ExitCode::config);
  ASSERT_EQ(error.issues().size(), 2U);
  EXPECT_EQ(error.issues()[1].text, "second");
}

}  // namespace
}  // namespace polyhead::config
