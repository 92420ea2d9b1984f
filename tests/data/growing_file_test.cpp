#include "data/files/growing_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "../support.hpp"

namespace polyhead::data {
namespace {

TEST(GrowingFile, FollowsTheUsersUmask) {
  const polyhead::testing::TemporaryFolder folder;
  for (const auto& [mask, mode] : {std::pair{mode_t{027}, mode_t{0640}}, {mode_t{022}, mode_t{0644}}}) {
    const mode_t before = ::umask(mask);
    GrowingFile file(folder / "list");
    file.append(std::as_bytes(std::span("names", 5)));
    file.publish();
    ::umask(before);
    struct stat status {};
    ASSERT_EQ(::stat((folder / "list").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, mode);
    EXPECT_EQ(status.st_size, 5);
  }
}

TEST(GrowingFile, LeavesNothingWithoutPublish) {
  const polyhead::testing::TemporaryFolder folder;
  GrowingFile(folder / "list").append(std::as_bytes(std::span("names", 5)));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace polyhead::data
