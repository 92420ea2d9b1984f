#include "polyhead/store/file.hpp"

#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include "../support.hpp"
#include "store/posix_file.hpp"

namespace polyhead::store {
namespace {

using polyhead::testing::error_of;
using ::testing::AllOf;
using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  FileTest() { std::ofstream(path()) << "0123456789"; }
  [[nodiscard]] std::filesystem::path path() const { return folder_ / "file"; }
  [[nodiscard]] std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path()).rdbuf();
    return text.str();
  }
  polyhead::testing::TemporaryFolder folder_;
};

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST_F(FileTest, WritesInPlaceAndBeyondTheEnd) {
  const auto file = open_for_writing(path());
  file->write(2, bytes("ab"));
  file->write(12, bytes("z"));
  file->write(0, {});
  file->sync();
  EXPECT_EQ(content(), std::string("01ab456789\0\0z", 13));
}

TEST_F(FileTest, CannotOpenWhatIsNotThere) {
  const auto [code, message] = error_of([&] { return open_for_writing(folder_ / "gone"); });
  EXPECT_EQ(code, ExitCode::io_error);
  EXPECT_THAT(message, AllOf(HasSubstr("gone: cannot be opened for writing"), HasSubstr("No such file")));
  std::filesystem::create_symlink("gone", folder_ / "link");
  EXPECT_THAT(error_of([&] { return open_for_writing(folder_ / "link"); }).second,
              HasSubstr("link: cannot be opened for writing: No such file"));
}

TEST_F(FileTest, WritesWhereALinkLeads) {
  std::filesystem::create_symlink(path(), folder_ / "link");
  open_for_writing(folder_ / "link")->write(2, bytes("ab"));
  EXPECT_EQ(content(), "01ab456789");
}

TEST_F(FileTest, NoticesThatItWasDeletedOrReplaced) {
  for (const bool replaced : {false, true}) {
    const auto file = open_for_writing(path());
    file->write(2, bytes("ab"));
    if (replaced) {
      std::ofstream(folder_ / "other") << "9876543210";
      std::filesystem::rename(folder_ / "other", path());
    } else {
      std::filesystem::remove(path());
    }
    EXPECT_THROW(file->write(2, bytes("cd")), FileGone);
    EXPECT_THROW(file->sync(), FileGone);
    EXPECT_EQ(error_of([&] { file->sync(); }).second,
              path().string() + ": was deleted or replaced while the run was writing to it");
    std::ofstream(path()) << "0123456789";
  }
}

TEST_F(FileTest, NoticesThatItWasCut) {
  const auto file = open_for_writing(path());
  file->write(10, bytes("ab"));
  file->sync();
  std::filesystem::resize_file(path(), 3);
  EXPECT_EQ(error_of([&] { file->write(11, bytes("c")); }).second,
            path().string() + ": was cut to 3 bytes of 12 while the run was writing to it");
  EXPECT_THROW(file->sync(), FileGone);
}

TEST_F(FileTest, SaysWhatCouldNotBeWritten) {
  const auto file = open_for_writing("/dev/full");
  const auto [code, message] = error_of([&] { file->write(7, bytes("abc")); });
  EXPECT_EQ(code, ExitCode::io_error);
  EXPECT_EQ(message,
            "/dev/full: cannot write 3 bytes at offset 7: No space left on device. Make room on that disk");
}

/// The kernel writes up to the limit on a file's size first, then refuses: a short write and an error.
TEST_F(FileTest, GoesOnAfterAShortWrite) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto file = open_for_writing(path());
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{12, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const std::string message = error_of([&] { file->write(8, bytes("abcdefgh")); }).second;
  setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, SIG_DFL);
  EXPECT_THAT(message, HasSubstr("cannot write 4 bytes at offset 12: File too large"));
  EXPECT_EQ(content(), "01234567abcd");
}

TEST_F(FileTest, ReportsAFailedSync) {
  // A FIFO cannot be synced: it stands for a disk that fails.
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const auto file = open_for_writing(folder_ / "pipe");
  EXPECT_THAT(error_of([&] { file->sync(); }).second,
              HasSubstr("pipe: cannot be written to the disk (fdatasync)"));
}

TEST_F(FileTest, ReservesWithoutChangingAnything) {
  std::filesystem::resize_file(path(), 1 << 20);
  PosixFile file(path());
  file.reserve();
  file.sync_all();
  EXPECT_EQ(std::filesystem::file_size(path()), 1U << 20U);
  EXPECT_EQ(content().substr(0, 11), std::string("0123456789\0", 11));
  struct stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_GE(status.st_blocks * 512, 1 << 20);
}

TEST_F(FileTest, SaysThatTheDiskIsTooSmallWithoutFillingIt) {
  std::filesystem::resize_file(path(), std::uintmax_t{1} << 43U);
  PosixFile file(path());
  const auto [code, message] = error_of([&] { file.reserve(); });
  EXPECT_EQ(code, ExitCode::io_error);
  EXPECT_THAT(message,
              AllOf(HasSubstr("file: cannot reserve 8.0 TiB: "), HasSubstr("are free on this disk")));
  struct stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_LE(status.st_blocks, 8);
}

}  // namespace
}  // namespace polyhead::store
