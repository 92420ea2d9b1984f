#include "store/publish.hpp"

#include <fstream>

#include <gmock/gmock.h>

#include "../support.hpp"

namespace polyhead::store {
namespace {

namespace fs = std::filesystem;
using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::HasSubstr;

using Step = bool (*)(const fs::path&, const fs::path&);
class WithoutReplacing : public ::testing::TestWithParam<Step> {
 protected:
  WithoutReplacing() { std::ofstream(folder_ / "from") << "new"; }
  TemporaryFolder folder_;
};

TEST_P(WithoutReplacing, GivesAFreeName) {
  EXPECT_TRUE(GetParam()(folder_ / "from", folder_ / "to"));
  EXPECT_TRUE(fs::exists(folder_ / "to"));
  EXPECT_FALSE(fs::exists(folder_ / "from"));
}

TEST_P(WithoutReplacing, LeavesATakenNameAlone) {
  std::ofstream(folder_ / "to") << "precious";
  const auto [code, message] = error_of([&] { return GetParam()(folder_ / "from", folder_ / "to"); });
  EXPECT_EQ(code, ExitCode::cant_create);
  EXPECT_THAT(message, HasSubstr("to: was created by another program in the meantime"));
  EXPECT_EQ(fs::file_size(folder_ / "to"), 8U);
  EXPECT_TRUE(fs::exists(folder_ / "from"));
}

TEST_P(WithoutReplacing, SaysWhyNot) {
  EXPECT_THAT(error_of([&] { return GetParam()(folder_ / "gone", folder_ / "to"); }).second,
              HasSubstr("to: cannot be created: No such file or directory"));
}

INSTANTIATE_TEST_SUITE_P(Steps, WithoutReplacing,
                         ::testing::Values(rename_without_replacing, link_without_replacing));

TEST(MakeFolders, SaysWhichCannotBeMade) {
  const TemporaryFolder folder;
  make_folders(folder / "a/b/c");
  make_folders(folder / "a/b");
  make_folders("");
  EXPECT_TRUE(fs::is_directory(folder / "a/b/c"));
  std::ofstream(folder / "file") << "";
  const auto [code, message] = error_of([&] { make_folders(folder / "file/sub"); });
  EXPECT_EQ(code, ExitCode::cant_create);
  EXPECT_THAT(message, HasSubstr("file/sub: cannot be created: Not a directory"));
  EXPECT_THAT(error_of([&] { sync_folder(folder / "gone"); }).second, HasSubstr("gone: cannot be opened"));
}

TEST(TemporaryFile, IsRemovedUnlessPublished) {
  const TemporaryFolder folder;
  for (const bool publish : {false, true}) {
    TemporaryFile file(folder / "target");
    std::ofstream(file.path()) << "x";
    if (publish) file.publish(false);
  }
  std::size_t names = 0;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    EXPECT_EQ(entry.path().filename(), "target");
    ++names;
  }
  EXPECT_EQ(names, 1U);
}

}  // namespace
}  // namespace polyhead::store
