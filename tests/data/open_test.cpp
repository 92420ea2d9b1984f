#include <gmock/gmock.h>

#include "../support.hpp"
#include "polyhead/data/reader.hpp"
#include "polyhead/h5/h5.hpp"
#include "samples.hpp"
#include "tar_writer.hpp"

namespace polyhead::data {
namespace {

using config::DataFormat;
using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::images_at;
using ::testing::Not;
using testing::write;
namespace fs = std::filesystem;

class Recognise : public ::testing::Test {
 protected:
  DataFormat format(const std::string& path) { return detect_format(images_at(folder_ / path)); }
  std::pair<ExitCode, std::string> refusal(const std::string& path) {
    return error_of([&] { return static_cast<int>(format(path)); });
  }
  TemporaryFolder folder_;
};

TEST_F(Recognise, Files) {
  write(folder_ / "a.h5");
  write(folder_ / "a.HDF5");
  h5::File::create(folder_ / "signature").close();
  write(folder_ / "a.tar");
  write(folder_ / "a.tgz");
  write(folder_ / "data_batch_1.bin", std::string(6146, 'x'));
  for (const char* name : {"a.csv", "a.TSV", "a.txt"}) write(folder_ / name);
  EXPECT_EQ(format("a.h5"), DataFormat::hdf5);
  EXPECT_EQ(format("a.HDF5"), DataFormat::hdf5);
  EXPECT_EQ(format("signature"), DataFormat::hdf5);
  EXPECT_EQ(format("a.tar"), DataFormat::webdataset);
  EXPECT_EQ(format("a.tgz"), DataFormat::webdataset);
  EXPECT_EQ(format("none-{00..10}.tar"), DataFormat::webdataset);
  EXPECT_EQ(format("data_batch_1.bin"), DataFormat::cifar10);
  for (const char* name : {"a.csv", "a.TSV", "a.txt"}) EXPECT_EQ(format(name), DataFormat::image_folder);
}

TEST_F(Recognise, Folders) {
  write(folder_ / "images/cat/test.bin");
  write(folder_ / "images/cat/x.tar");
  write(folder_ / "shards/readme");
  write(folder_ / "shards/x.tar");
  write(folder_ / "ten/test_batch.bin");
  write(folder_ / "hundred/test.bin");
  EXPECT_EQ(format("images"), DataFormat::image_folder);
  EXPECT_EQ(format("shards"), DataFormat::webdataset);
  EXPECT_EQ(format("ten"), DataFormat::cifar10);
  EXPECT_EQ(format("hundred"), DataFormat::cifar100);
}

TEST_F(Recognise, SaysWhatItKnows) {
  write(folder_ / "data.bin", "whatever");
  write(folder_ / "batch.bin", std::string(3072, 'x'));
  for (const char* name : {"data.bin", "batch.bin"}) {
    const auto [code, text] = refusal(name);
    EXPECT_EQ(code, ExitCode::bad_data);
    EXPECT_THAT(text, AllOf(HasSubstr(name), HasSubstr("image-folder, webdataset, cifar10, cifar100, hdf5")));
  }
}

TEST_F(Recognise, SuggestsAnotherName) {
  write(folder_ / "imagenet/cat/a.jpg");
  auto [code, text] = refusal("imagnet");
  EXPECT_EQ(code, ExitCode::no_input);
  EXPECT_THAT(text,
              AllOf(HasSubstr("imagnet: No such file or directory"), HasSubstr("did you mean 'imagenet'?")));
  std::tie(code, text) = refusal("no/such/path");
  EXPECT_EQ(code, ExitCode::no_input);
  EXPECT_THAT(text, Not(HasSubstr("did you mean")));
}

TEST_F(Recognise, AMissingPathIsTheSameInEveryFormat) {
  for (const DataFormat format : {DataFormat::automatic, DataFormat::hdf5, DataFormat::image_folder,
                                  DataFormat::webdataset, DataFormat::cifar10, DataFormat::cifar100}) {
    config::Data config = images_at(folder_ / "none");
    config.format = format;
    const auto [code, text] = error_of([&] { return open(config, folder_ / "list"); });
    EXPECT_EQ(code, ExitCode::no_input);
    EXPECT_THAT(text, HasSubstr("data.path: " + (folder_ / "none").string()));
  }
}

TEST_F(Recognise, OpensWhatItRecognises) {
  write(folder_ / "images/cat/a.jpg");
  write(folder_ / "shards/x.tar", testing::tar_entry("a.jpg", "1"));
  EXPECT_THAT(open(images_at(folder_ / "images"), folder_ / "list")->describe(), HasSubstr("image-folder"));
  EXPECT_THAT(open(images_at(folder_ / "shards"), folder_ / "list")->describe(), HasSubstr("webdataset"));
  EXPECT_THAT(open(images_at(folder_ / "shards/x.tar"), folder_ / "list")->describe(),
              HasSubstr("webdataset"));
}

TEST_F(Recognise, ReadersOfImagesNeedTheSameCrop) {
  config::Data config = images_at(folder_ / "elsewhere");
  config.format = DataFormat::image_folder;
  EXPECT_NE(open_reader(config, {10, {8, 8}}), nullptr) << "a reader does not look at the folder";
  const auto [code, text] = error_of([&] { return open_reader(config, {10, {9, 9}}); });
  EXPECT_EQ(code, ExitCode::bad_data);
  config.preprocess.crop.reset();
  EXPECT_EQ(error_of([&] { return open_reader(config, {10, {8, 8}}); }).first, ExitCode::config);
}

}  // namespace
}  // namespace polyhead::data
