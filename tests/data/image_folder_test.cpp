#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "../support.hpp"
#include "polyhead/base/text.hpp"
#include "samples.hpp"

namespace polyhead::data {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ids_of;
using testing::images_at;
using ::testing::IsEmpty;
using testing::labels_of;
using testing::write;
namespace fs = std::filesystem;

class ImageFolder : public ::testing::Test {
 protected:
  std::unique_ptr<Dataset> open() { return data::open(images_at(root_), folder_ / "list"); }
  void expect_refused(ExitCode code, const std::string& message) {
    const auto [found, text] = error_of([&] { return open(); });
    EXPECT_EQ(found, code);
    EXPECT_THAT(text, AllOf(HasSubstr(root_.string()), HasSubstr(message)));
  }
  std::string log_of_opening() {
    ::testing::internal::CaptureStderr();
    open();
    return ::testing::internal::GetCapturedStderr();
  }
  TemporaryFolder folder_;
  fs::path root_ = folder_ / "data";
};

TEST_F(ImageFolder, IsTorchvisions) {
  constexpr int kFolders = 40;
  ASSERT_EQ(polyhead::testing::run_python("data/make_folders.py",
                                          fmt::format("'{}' {}", folder_.path().string(), kFolders)),
            0);
  for (int i = 0; i < kFolders; ++i) {
    const auto expected = testing::lines_of(folder_ / fmt::format("{}.expected", i));
    const auto dataset = data::open(images_at(folder_ / std::to_string(i)), folder_ / "list");
    EXPECT_EQ(join(dataset->class_names(), "\t"), expected[0]);
    const auto ids = ids_of(*dataset);
    const auto labels = labels_of(*dataset);
    std::vector<std::string> lines{expected[0]};
    for (std::size_t k = 0; k < ids.size(); ++k) lines.push_back(fmt::format("{}\t{}", labels[k], ids[k]));
    EXPECT_EQ(lines, expected) << i;
  }
}

TEST_F(ImageFolder, TellsWhereSamplesAre) {
  write(root_ / "cat/deep/a.jpg");
  write(root_ / "dog/b.png");
  const auto dataset = open();
  EXPECT_THAT(dataset->locations(0, 2), ElementsAre(Location{(root_ / "cat/deep/a.jpg").string()},
                                                    Location{(root_ / "dog/b.png").string()}));
  EXPECT_THAT(dataset->locations(1, 1), ElementsAre(Location{(root_ / "dog/b.png").string()}));
  EXPECT_EQ(dataset->describe(), fmt::format("{}: 2 images, image-folder, 2 classes", root_.string()));
  EXPECT_EQ(dataset->image_shape(), (ImageShape{8, 8}));
  EXPECT_TRUE(dataset->labelled());
}

TEST_F(ImageFolder, ASlashAtTheEndChangesNothing) {
  write(root_ / "cat/a.jpg");
  const auto plain = open()->digest();
  root_ += "/";
  EXPECT_EQ(open()->digest(), plain);
  EXPECT_EQ(open()->locations(0, 1)[0].path, (folder_ / "data/cat/a.jpg").string());
}

TEST_F(ImageFolder, FlatFoldersHaveNoLabels) {
  for (const char* name : {"b.jpg", "a.PNG", "c.txt", "A.jpg"}) write(root_ / name);
  fs::create_directories(root_ / "empty/deep");
  const auto dataset = open();
  EXPECT_THAT(ids_of(*dataset), ElementsAre("A.jpg", "a.PNG", "b.jpg"));
  EXPECT_THAT(labels_of(*dataset), ElementsAre(-1, -1, -1));
  EXPECT_FALSE(dataset->labelled());
  EXPECT_THAT(dataset->class_names(), IsEmpty());
  EXPECT_THAT(dataset->describe(), HasSubstr("without labels"));
}

TEST_F(ImageFolder, RefusesAMixture) {
  write(root_ / "stray.jpg");
  write(root_ / "cat/deep/a.jpg");
  expect_refused(ExitCode::bad_data,
                 "found images beside the class folders (stray.jpg) and in them (cat/deep/a.jpg)");
}

TEST_F(ImageFolder, RefusesClassesWithoutImages) {
  write(root_ / "cat/a.jpg");
  write(root_ / "dog/a.txt");
  fs::create_directories(root_ / "eel/deep");
  expect_refused(ExitCode::bad_data,
                 "found no image in 2 of 3 class folders (dog, eel), expected .jpg, .jpeg");
}

TEST_F(ImageFolder, RefusesFoldersWithoutImages) {
  fs::create_directories(root_);
  expect_refused(ExitCode::bad_data, "found no images");
  write(root_ / "a.bmp");
  expect_refused(ExitCode::bad_data, "found 1 image files of other kinds");
  root_ = folder_ / "none";
  expect_refused(ExitCode::no_input, "No such file");
}

TEST_F(ImageFolder, CountsOtherImages) {
  write(root_ / "cat/a.jpg");
  for (const char* suffix : {".ppm", ".bmp", ".pgm", ".tif", ".TIFF", ".webp", ".gif", ".txt"}) {
    write(root_ / "cat" / (std::string("b") + suffix));
  }
  EXPECT_THAT(log_of_opening(), AllOf(HasSubstr("left out 7 image file(s) of other kinds (cat/b."),
                                      HasSubstr("only JPEG and PNG")));
}

TEST_F(ImageFolder, DoesNotFollowLinksRoundInCircles) {
  write(root_ / "cat/deep/a.jpg");
  fs::create_directory_symlink(root_ / "cat", root_ / "cat/deep/round");
  fs::create_directory_symlink("../..", root_ / "cat/deep/up");
  const auto log = log_of_opening();
  EXPECT_THAT(log, AllOf(HasSubstr("cat/deep/round: skipped, a link to a folder that it lies in"),
                         HasSubstr("cat/deep/up: skipped")));
  EXPECT_THAT(ids_of(*open()), ElementsAre("cat/deep/a.jpg"));
}

TEST_F(ImageFolder, FollowsOtherLinks) {
  write(folder_ / "elsewhere/a.jpg");
  fs::create_directories(root_);
  fs::create_directory_symlink(folder_ / "elsewhere", root_ / "one");
  fs::create_directory_symlink(folder_ / "elsewhere", root_ / "two");
  EXPECT_THAT(ids_of(*open()), ElementsAre("one/a.jpg", "two/a.jpg"));
}

TEST_F(ImageFolder, NamesAreBytes) {
  const std::string name = "cat/\xFF\xFE.jpg";
  write(root_ / name);
  const auto dataset = open();
  EXPECT_THAT(ids_of(*dataset), ElementsAre(name));
  EXPECT_TRUE(fs::exists(dataset->locations(0, 1)[0].path));
}

TEST_F(ImageFolder, NamesTheFolderThatMayNotBeRead) {
  write(root_ / "cat/shut/a.jpg");
  fs::permissions(folder_.path(), fs::perms::all);
  fs::permissions(root_ / "cat/shut", fs::perms::none);
  testing::without_privileges([&] {
    const auto [code, text] = error_of([&] { return open(); });
    EXPECT_EQ(code, ExitCode::no_input);
    EXPECT_THAT(text, AllOf(HasSubstr("cat/shut: this folder cannot be read: Permission denied")));
  });
  fs::permissions(root_ / "cat/shut", fs::perms::all);
}

TEST_F(ImageFolder, NeedsACrop) {
  write(root_ / "cat/a.jpg");
  config::Data config = images_at(root_);
  config.preprocess.crop.reset();
  const auto [code, text] = error_of([&] { return data::open(config, folder_ / "list"); });
  EXPECT_EQ(code, ExitCode::config);
  EXPECT_THAT(text, HasSubstr("data.preprocess.crop"));
}

TEST_F(ImageFolder, DigestSeesNamesLabelsAndBytes) {
  write(root_ / "cat/a.jpg", "1");
  write(root_ / "dog/b.jpg", "2");
  const auto digest = open()->digest();
  fs::create_directories(root_ / "dog/empty");
  EXPECT_EQ(open()->digest(), digest);
  write(root_ / "dog/b.jpg", "3");
  EXPECT_NE(open()->digest(), digest);
  write(root_ / "dog/b.jpg", "2");
  EXPECT_EQ(open()->digest(), digest);
  fs::rename(root_, folder_ / "moved");
  root_ = folder_ / "moved";
  EXPECT_EQ(open()->digest(), digest);
  fs::rename(root_ / "dog", root_ / "dot");
  EXPECT_NE(open()->digest(), digest);
  fs::rename(root_ / "dot", root_ / "dog");
  fs::remove(root_ / "dog/b.jpg");
  fs::create_directories(root_ / "dog/b.jpg/c.jpg");  // a folder in its place
  write(root_ / "dog/b.jpg/c.jpg/d.jpg");
  EXPECT_NE(open()->digest(), digest);
}

TEST_F(ImageFolder, DigestTakesUnreadableSamples) {
  write(root_ / "cat/a.jpg", "1");
  fs::create_symlink(root_ / "nothing", root_ / "cat/b.jpg");
  const auto digest = open()->digest();
  EXPECT_EQ(open()->digest(), digest);
  write(root_ / "nothing", "2");
  EXPECT_NE(data::open(images_at(root_), folder_ / "list")->digest(), digest);
}

TEST_F(ImageFolder, NamesTheListThatCannotBeWritten) {
  write(root_ / "cat/a.jpg");
  const auto [code, text] = error_of([&] { return data::open(images_at(root_), folder_ / "no/list"); });
  EXPECT_EQ(code, ExitCode::cant_create);
  EXPECT_THAT(text, HasSubstr((folder_ / "no/list").string()));
}

}  // namespace
}  // namespace polyhead::data
