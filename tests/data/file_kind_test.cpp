#include "polyhead/image/file_kind.hpp"

#include <gmock/gmock.h>

#include "../support.hpp"
#include "data/image_folder/class_folders.hpp"
#include "samples.hpp"

namespace polyhead::data {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::images_at;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using testing::write;

std::string kind(const std::string& bytes) {
  const auto found = image::kind_of(std::as_bytes(std::span(bytes)));
  return found ? std::string(found->name) : "";
}

/// The files are Pillow's, NumPy's, h5py's and those of Python's own modules.
TEST(FileKind, NamesWhatLibrariesWrite) {
  const TemporaryFolder folder;
  ASSERT_EQ(polyhead::testing::run_python("data/make_kinds.py", fmt::format("'{}'", folder.path().string())),
            0);
  int files = 0;
  for (const auto& item : std::filesystem::directory_iterator(folder.path())) {
    if (item.path().extension() == ".kind") continue;
    const auto expected = testing::lines_of(item.path().string() + ".kind");
    const auto found = image::kind_of_file(item.path());
    EXPECT_EQ(found ? found->name : "", expected.at(0)) << item.path();
    ++files;
  }
  EXPECT_GT(files, 20);
}

TEST(FileKind, NamesWhatFewCanWrite) {
  using namespace std::string_literals;
  EXPECT_EQ(kind("\0\0\0\x1C"
                 "ftypheic\0\0\0\0"s),
            "a HEIC image");
  EXPECT_EQ(kind("\0\0\0\x0CJXL \r\n\x87\n"s), "a JPEG XL image");
  EXPECT_EQ(kind("\0\0\0\x18"
                 "ftypmp42\0\0\0\0"s),
            "a video (MP4, QuickTime)");
  EXPECT_EQ(kind("MATLAB 5.0 MAT-file, Platform: posix"), "a MATLAB file");
  EXPECT_EQ(kind("PK\3\4" + std::string(26, '\0') + "model/data.pkl"), "a PyTorch file");
  EXPECT_EQ(kind("PAR1\x15\x04"s), "a Parquet file");
  EXPECT_EQ(kind(std::string(16, '\0') + "\xDE\xC0\xEF\xBE"), "an LMDB database");
  EXPECT_EQ(kind("version https://git-lfs.github.com/spec/v1\n"),
            "a pointer of Git LFS, not the file itself (git lfs pull fetches it)");
  EXPECT_THAT(kind(" \n<!doctype HTML><title>404</title>"), StartsWith("an HTML page"));
  EXPECT_EQ(kind("<?xml version='1.0'?><svg>"), "an SVG drawing");
  EXPECT_EQ(kind("\0\5\x16\7\0\2\0\0"s), "a file of macOS's attributes (AppleDouble), no image");
  for (const char* unknown : {"", "a", "BMW/a.jpg,1", "path,label", "RIFF", "<htm"}) {
    EXPECT_EQ(kind(unknown), "") << unknown;
  }
}

TEST(FileKind, EveryReasonHasItsText) {
  for (int i = 0; i <= static_cast<int>(Reason::other_kind); ++i) {
    EXPECT_THAT(describe(static_cast<Reason>(i)), ::testing::Not(HasSubstr("unknown"))) << i;
  }
  EXPECT_EQ(coarse(Reason::webp), Reason::not_an_image);
  EXPECT_EQ(coarse(Reason::other_kind), Reason::not_an_image);
  EXPECT_EQ(coarse(Reason::truncated), Reason::truncated);
}

class KindsAtDataPath : public ::testing::Test {
 protected:
  std::string refusal(const std::string& path) {
    const auto [code, text] =
        error_of([&] { return data::open(images_at(folder_ / path), folder_ / "index"); });
    EXPECT_EQ(code, ExitCode::bad_data);
    EXPECT_THAT(text, HasSubstr((folder_ / path).string()));
    return text;
  }
  TemporaryFolder folder_;
};

TEST_F(KindsAtDataPath, AFileIsNamedWithTheWayOn) {
  write(folder_ / "images.zip", "PK\3\4xxxx");
  write(folder_ / "x.npy", "\x93NUMPY\1");
  write(folder_ / "test.parquet", "PAR1\x15");
  write(folder_ / "data.tfrecord", "xxxxxxxxxxxx");
  write(folder_ / "a.jpg", "\xFF\xD8\xFF\xE0");
  write(folder_ / "annotations.json", "{}");
  EXPECT_THAT(refusal("images.zip"), AllOf(HasSubstr("this is a zip archive, which polyhead does not read"),
                                           HasSubstr("unpack it, and give the folder")));
  EXPECT_THAT(refusal("x.npy"),
              AllOf(HasSubstr("a NumPy array (.npy)"), HasSubstr("h5py.File('data.h5', 'w')")));
  EXPECT_THAT(refusal("test.parquet"),
              AllOf(HasSubstr("a Parquet file"), HasSubstr("webdataset.ShardWriter")));
  EXPECT_THAT(refusal("data.tfrecord"), HasSubstr("a TFRecord file"));
  EXPECT_THAT(refusal("a.jpg"), AllOf(HasSubstr("a JPEG image"), HasSubstr("give a folder of JPEG and PNG")));
  EXPECT_THAT(refusal("annotations.json"), HasSubstr("a JSON file"));
}

TEST_F(KindsAtDataPath, AFolderWithoutImagesIsLookedInto) {
  write(folder_ / "lmdb/data.mdb", std::string(16, '\0') + "\xDE\xC0\xEF\xBE");
  write(folder_ / "cifar-10-batches-py/test_batch", "\x80\2}q\1");
  write(folder_ / "hub/data/test-0.parquet", "PAR1\x15");
  for (const char* name : {"1", "2", "3", "4"}) write(folder_ / "plain/a" / name, "\xFF\xD8\xFF\xE0");
  write(folder_ / "webp/a/x.webp", std::string("RIFF\0\0\0\0WEBPVP8 ", 16));
  EXPECT_THAT(refusal("lmdb"),
              AllOf(HasSubstr("found no images"), HasSubstr("data.mdb is an LMDB database")));
  EXPECT_THAT(refusal("cifar-10-batches-py"),
              AllOf(HasSubstr("test_batch is a Python pickle"), HasSubstr("cifar-10-binary.tar.gz")));
  EXPECT_THAT(refusal("hub"), HasSubstr("test-0.parquet is a Parquet file"));
  EXPECT_THAT(refusal("plain"),
              AllOf(HasSubstr("1 is a JPEG image, 2 is a JPEG image, 3 is a JPEG image (and 1 more)"),
                    HasSubstr("give their names the suffix .jpg")));
  EXPECT_THAT(refusal("webp"), AllOf(HasSubstr("x.webp is a WebP image"), HasSubstr("mogrify")));
}

TEST(ClassFolders, NumbersAreSortedAsText) {
  EXPECT_THAT(
      doubt_about_classes({"0", "1", "10", "2"}),
      AllOf(HasSubstr("'10' is class 2, before '2', class 3"), HasSubstr("data.classes: [0, 1, 2, ...]")));
  EXPECT_THAT(doubt_about_classes({"0", "1", "2"}), IsEmpty());
  EXPECT_THAT(doubt_about_classes({"000", "001", "010"}), IsEmpty());
  EXPECT_THAT(doubt_about_classes({"1", "10", "2", "cat"}), IsEmpty()) << "names";
  EXPECT_THAT(doubt_about_classes({"18446744073709551616", "18446744073709551617", "2"}),
              HasSubstr("class 1, before"));
  EXPECT_THAT(doubt_about_classes({}), IsEmpty());
}

TEST(ClassFolders, PartsOfADataSetAreNoClasses) {
  EXPECT_THAT(doubt_about_classes({"test", "train", "val"}),
              HasSubstr("called test, train, val, which are parts"));
  EXPECT_THAT(doubt_about_classes({"Train", "Val"}), HasSubstr("is data.path to be one of them?"));
  EXPECT_THAT(doubt_about_classes({"bus", "train"}), IsEmpty());
}

TEST(ClassFolders, TheLogTellsUnlessClassesAreGiven) {
  const TemporaryFolder folder;
  for (const char* name : {"0", "1", "2", "10"}) write(folder / "data" / name / "a.jpg");
  config::Data config = images_at(folder / "data");
  for (const bool given : {false, true}) {
    if (given) config.classes.entries = {{"0", -1}, {"1", -1}, {"2", -1}, {"10", -1}};
    ::testing::internal::CaptureStderr();
    EXPECT_THAT(data::open(config, folder / "index")->class_names(),
                ::testing::ElementsAre("0", "1", "10", "2"));
    const std::string log = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(log.find("'10' is class 2") != std::string::npos, !given) << log;
  }
}

}  // namespace
}  // namespace polyhead::data
