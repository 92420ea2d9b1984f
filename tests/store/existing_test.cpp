#include "polyhead/store/existing.hpp"

#include <fstream>

#include <gmock/gmock.h>

#include "example.hpp"

namespace polyhead::store {
namespace {

namespace fs = std::filesystem;
using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;

void put(const fs::path& path, std::streamoff at, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

TEST(OccupantOf, KnowsAResultThatIsUnfinishedOrDamaged) {
  const example::Fresh file;
  EXPECT_EQ(occupant_of(file.path), Occupant::result);  // no row is written
  put(file.path, 0, std::string(4096, '?'));            // HDF5 knows it no longer
  EXPECT_EQ(occupant_of(file.path), Occupant::result);
}

TEST(OccupantOf, KnowsAResultWithoutASeal) {
  const example::Fresh file;  // as h5py leaves it, and as the first versions wrote it
  put(file.path, static_cast<std::streamoff>(fs::file_size(file.path)) - 8, "no seal.");
  EXPECT_EQ(occupant_of(file.path), Occupant::result);
}

TEST(OccupantOf, TellsApartWhatIsNoResult) {
  const TemporaryFolder folder;
  EXPECT_EQ(occupant_of(folder / "nothing"), Occupant::nothing);
  EXPECT_EQ(occupant_of(folder / "no/folder"), Occupant::nothing);
  EXPECT_EQ(occupant_of(folder.write("empty", "")), Occupant::empty);
  EXPECT_EQ(occupant_of(folder.path()), Occupant::stranger);
  EXPECT_EQ(occupant_of(folder.write("notes", "format: polyhead-result\n")), Occupant::stranger);
  EXPECT_EQ(occupant_of(folder.write("short", "\x89HDF")), Occupant::stranger);
  fs::create_symlink("nothing", folder / "dangling");
  EXPECT_EQ(occupant_of(folder / "dangling"), Occupant::nothing);
  fs::create_symlink("notes", folder / "link");
  EXPECT_EQ(occupant_of(folder / "link"), Occupant::stranger);
}

TEST(WaysOn, RecommendOnlyWhatWorks) {
  const example::Fresh file;
  const TemporaryFolder folder;
  EXPECT_EQ(ways_on(file.path), "--resume, --overwrite or another output.path");
  EXPECT_EQ(ways_on(folder.write("empty", "")), "--overwrite or another output.path");
  EXPECT_EQ(ways_on(folder.write("thesis", "x")), "another output.path");
  EXPECT_EQ(ways_on(folder / "nothing"), "");
}

TEST(TargetOf, FollowsLinksToTheirEnd) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "sub");
  fs::create_symlink("sub/b", folder / "a");
  fs::create_symlink("c", folder / "sub/b");
  EXPECT_EQ(target_of(folder / "a"), folder / "sub/c");
  EXPECT_EQ(target_of(folder / "plain"), folder / "plain");
  EXPECT_EQ(target_of("plain"), "plain");
  fs::create_symlink("self", folder / "self");
  EXPECT_EQ(error_of([&] { return target_of(folder / "self"); }).first, ExitCode::cant_create);
}

}  // namespace
}  // namespace polyhead::store
