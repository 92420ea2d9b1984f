#include "polyhead/data/holds_file.hpp"

#include <gmock/gmock.h>

#include "../support.hpp"

namespace polyhead::data {
namespace {

namespace fs = std::filesystem;
using polyhead::testing::TemporaryFolder;

config::Data data_at(const fs::path& path, const fs::path& root = "") {
  config::Data data;
  data.path = path;
  data.root = root;
  return data;
}

TEST(HoldsFile, KnowsTheFileItselfByAllItsNames) {
  const TemporaryFolder folder;
  const fs::path file = folder.write("data.h5", "x");
  fs::create_hard_link(file, folder / "twin.h5");
  EXPECT_TRUE(holds_file(data_at(file), folder / "twin.h5"));
  EXPECT_FALSE(holds_file(data_at(file), folder.write("other.h5", "x")));
  EXPECT_FALSE(holds_file(data_at(file), folder / "nothing.h5"));
}

TEST(HoldsFile, KnowsFilesInTheFolders) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "images/cat");
  fs::create_directories(folder / "images-2");
  const fs::path image = folder.write("images/cat/1.png", "x");
  EXPECT_TRUE(holds_file(data_at(folder / "images"), image));
  EXPECT_TRUE(holds_file(data_at(folder.write("list.csv", "x"), folder / "images"), image));
  EXPECT_FALSE(holds_file(data_at(folder / "images"), folder.write("images-2/1.png", "x")));
  fs::create_directory_symlink(folder / "images", folder / "link");
  EXPECT_TRUE(holds_file(data_at(folder / "link"), image));
}

TEST(HoldsFile, KnowsTheShardsOfAPattern) {
  const TemporaryFolder folder;
  const config::Data data = data_at(folder / "s-{00..02}.tar");
  EXPECT_TRUE(holds_file(data, folder.write("s-01.tar", "x")));
  EXPECT_FALSE(holds_file(data, folder.write("s-03.tar", "x")));
}

}  // namespace
}  // namespace polyhead::data
