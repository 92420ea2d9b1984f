#include "data/format_table.hpp"

#include <set>

#include <gmock/gmock.h>

#include "../support.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/data/encoded.hpp"
#include "samples.hpp"

namespace polyhead::data {
namespace {

using config::DataFormat;
using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::HasSubstr;
using testing::images_at;
using testing::write;

TEST(FormatTable, HasARowForEveryFormatAndOneOnly) {
  std::set<DataFormat> seen;
  for (const Format& format : formats()) {
    EXPECT_TRUE(seen.insert(format.format).second) << config::name(format.format);
    EXPECT_EQ(&format_of(format.format), &format);
  }
  EXPECT_EQ(seen, (std::set{DataFormat::image_folder, DataFormat::webdataset, DataFormat::cifar10,
                            DataFormat::cifar100, DataFormat::hdf5}));
  EXPECT_EQ(error_of([] { return format_of(DataFormat::automatic).looks; }).first, ExitCode::internal);
}

TEST(FormatTable, IsWholeInEachRow) {
  for (const Format& format : formats()) {
    EXPECT_NE(format.open, nullptr) << config::name(format.format);
    EXPECT_NE(format.open_reader, nullptr) << config::name(format.format);
    EXPECT_NE(format.digest, nullptr) << config::name(format.format);
    EXPECT_EQ(format.is_pattern == nullptr, format.expand == nullptr) << config::name(format.format);
  }
}

/// Rows are tried in turn: a file that two of them took for theirs would depend on the order.
TEST(FormatTable, TakesNoFileOrFolderTwice) {
  const TemporaryFolder folder;
  for (const char* name : {"a.tar", "a.tgz", "a.csv", "a.TSV", "a.txt", "a.h5", "a.HE5", "test_batch.bin"}) {
    write(folder / name, std::string(3073, 'x'));
    int takers = 0;
    for (const Format& format : formats()) {
      takers += format.is_file != nullptr && format.is_file(folder / name, 3073) ? 1 : 0;
    }
    EXPECT_EQ(takers, 1) << name;
  }
  for (const char* name : {"test_batch.bin", "test.bin", "x-000.tar"}) {
    int takers = 0;
    for (const Format& format : formats()) takers += format.marks_folder && format.marks_folder(name) ? 1 : 0;
    EXPECT_EQ(takers, 1) << name;
  }
}

TEST(FormatTable, PrefersTheFirstRowInAFolderOfSeveral) {
  const TemporaryFolder folder;
  for (const char* name : {"a.tar", "test.bin", "test_batch.bin"}) write(folder / name);
  EXPECT_EQ(detect_format(images_at(folder.path())), DataFormat::cifar10);
  std::filesystem::remove(folder / "test_batch.bin");
  EXPECT_EQ(detect_format(images_at(folder.path())), DataFormat::cifar100);
}

TEST(FormatTable, NamesEveryRowInTheRefusal) {
  const TemporaryFolder folder;
  write(folder / "data.bin", "whatever");
  EXPECT_THAT(
      error_of([&] { return detect_format(images_at(folder / "data.bin")); }).second,
      HasSubstr("data.bin: this is no data set that is known by sight; expected an HDF5 file, a folder "
                "of images, a manifest (.csv, .tsv, .txt), tar shards (WebDataset), or CIFAR's binary "
                "files; data.format (image-folder, webdataset, cifar10, cifar100, hdf5) says which it "
                "is"));
}

TEST(FormatTable, TellsImageFilesFromArrays) {
  EXPECT_TRUE(is_encoded(DataFormat::image_folder));
  EXPECT_TRUE(is_encoded(DataFormat::webdataset));
  EXPECT_FALSE(is_encoded(DataFormat::cifar10));
  EXPECT_FALSE(is_encoded(DataFormat::cifar100));
  EXPECT_FALSE(is_encoded(DataFormat::hdf5));
  EXPECT_FALSE(is_encoded(DataFormat::automatic));
}

}  // namespace
}  // namespace polyhead::data
