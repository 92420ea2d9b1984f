#include "data/files/sample_bytes.hpp"

#include <cerrno>
#include <numeric>

#include <gmock/gmock.h>

#include "../support.hpp"
#include "polyhead/data/look.hpp"
#include "samples.hpp"

namespace polyhead::data {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::write;
namespace fs = std::filesystem;
using Pauses = std::vector<std::chrono::milliseconds>;

constexpr std::uint64_t kMax = 100;

class SampleBytesTest : public ::testing::Test {
 protected:
  Reason reason(const std::string& name, std::uint64_t offset = 0, std::uint64_t size = 0) {
    return bytes_.read({(folder_ / name).string(), offset, size});
  }
  [[nodiscard]] std::string text() const { return text_of(bytes_); }
  static std::string text_of(const SampleBytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.bytes().data()), bytes.bytes().size()};
  }
  TemporaryFolder folder_;
  SampleBytes bytes_{kMax};
};

TEST_F(SampleBytesTest, ReadsFilesAndParts) {
  write(folder_ / "a", "0123456789");
  write(folder_ / "b", "xyz");
  EXPECT_EQ(reason("a"), Reason::none);
  EXPECT_EQ(text(), "0123456789");
  EXPECT_EQ(reason("b"), Reason::none);
  EXPECT_EQ(text(), "xyz");
  EXPECT_EQ(reason("a", 2, 3), Reason::none);
  EXPECT_EQ(text(), "234");
  EXPECT_EQ(reason("a", 0, 10), Reason::none);
  EXPECT_EQ(text(), "0123456789");
}

TEST_F(SampleBytesTest, LooksWithoutReading) {
  write(folder_ / "a", "0123456789");
  write(folder_ / "empty");
  write(folder_ / "large", std::string(kMax + 1, 'x'));
  const auto look = [&](const std::string& name, std::uint64_t offset = 0, std::uint64_t size = 0) {
    return look_at_file({(folder_ / name).string(), offset, size}, kMax);
  };
  EXPECT_EQ(look("a"), Reason::none);
  EXPECT_EQ(look("empty"), Reason::empty_file);
  EXPECT_EQ(look("large"), Reason::file_too_large);
  EXPECT_EQ(look("gone"), Reason::missing);
  EXPECT_EQ(look(""), Reason::not_a_file);
  EXPECT_EQ(look("a", 5, 5), Reason::none);
  EXPECT_EQ(look("a", 5, 6), Reason::truncated);
  EXPECT_EQ(look("a", 11, 1), Reason::truncated);
  EXPECT_EQ(look("a", 5, 0), Reason::empty_file);
  EXPECT_EQ(bytes_.look({(folder_ / "a").string(), 2, 3}), Reason::none);
  EXPECT_TRUE(bytes_.bytes().empty());
  EXPECT_EQ(reason("a", 2, 3), Reason::none);
  EXPECT_EQ(text(), "234");
}

TEST_F(SampleBytesTest, SaysWhyThereAreNone) {
  write(folder_ / "empty");
  write(folder_ / "large", std::string(kMax + 1, 'x'));
  write(folder_ / "limit", std::string(kMax, 'x'));
  write(folder_ / "file", "0123456789");
  fs::create_directories(folder_ / "folder.jpg");
  ASSERT_EQ(::mkfifo((folder_ / "pipe.jpg").c_str(), 0600), 0);
  fs::create_symlink("loop.jpg", folder_ / "loop.jpg");
  fs::create_symlink("nothing", folder_ / "dangling.jpg");
  EXPECT_EQ(reason("empty"), Reason::empty_file);
  EXPECT_EQ(reason("large"), Reason::file_too_large);
  EXPECT_EQ(reason("limit"), Reason::none);
  EXPECT_EQ(reason("folder.jpg"), Reason::not_a_file);
  EXPECT_EQ(reason("pipe.jpg"), Reason::not_a_file);
  EXPECT_EQ(bytes_.read({"/dev/zero"}), Reason::not_a_file);
  EXPECT_EQ(reason("loop.jpg"), Reason::missing);
  EXPECT_EQ(reason("dangling.jpg"), Reason::missing);
  EXPECT_EQ(reason("none.jpg"), Reason::missing);
  EXPECT_EQ(reason("file/none.jpg"), Reason::missing);
  EXPECT_EQ(reason(std::string(300, 'x')), Reason::missing);
  EXPECT_EQ(text(), "");
}

TEST_F(SampleBytesTest, SaysWhyThereIsNoPart) {
  write(folder_ / "a.tar", std::string(1000, 'x'));
  EXPECT_EQ(reason("a.tar", 512, 0), Reason::empty_file);
  EXPECT_EQ(reason("a.tar", 0, kMax + 1), Reason::file_too_large);
  EXPECT_EQ(reason("a.tar", 900, 100), Reason::none);
  EXPECT_EQ(reason("a.tar", 901, 100), Reason::truncated);
  EXPECT_EQ(reason("a.tar", 1001, 1), Reason::truncated);
  EXPECT_EQ(reason("a.tar", ~std::uint64_t{0}, 1), Reason::truncated);
  EXPECT_EQ(reason("none.tar", 512, 10), Reason::missing);
  fs::resize_file(folder_ / "a.tar", 950);
  EXPECT_EQ(reason("a.tar", 900, 100), Reason::truncated) << "though the file is still open";
}

TEST_F(SampleBytesTest, WhatMayNotBeRead) {
  write(folder_ / "shut.jpg", "x");
  fs::permissions(folder_.path(), fs::perms::all);
  fs::permissions(folder_ / "shut.jpg", fs::perms::none);
  testing::without_privileges([&] { EXPECT_EQ(reason("shut.jpg"), Reason::not_permitted); });
}

TEST_F(SampleBytesTest, ATarStaysOpenBetweenItsSamples) {
  write(folder_ / "a.tar", "0123456789");
  write(folder_ / "b.tar", "x123456789");
  int opened = 0;
  FileCalls calls;
  calls.open = [&opened, open = calls.open](const char* path) { return ++opened, open(path); };
  SampleBytes bytes(kMax, calls);
  for (const char* name : {"a.tar", "a.tar", "a.tar", "b.tar", "b.tar", "a.tar"}) {
    EXPECT_EQ(bytes.read({(folder_ / name).string(), 0, 2}), Reason::none);
    EXPECT_EQ(text_of(bytes), name[0] == 'a' ? "01" : "x1");
  }
  EXPECT_EQ(opened, 3);
}

/// Calls of which `failing` fails with `error` a number of times.
class Failing {
 public:
  enum class Call { open, stat, read };
  Failing(Call call, int error, int times) : call_(call), error_(error), left_(times) {}

  FileCalls calls() {
    FileCalls calls;
    calls.open = [this, open = calls.open](const char* path) { return fails(Call::open) ? -1 : open(path); };
    calls.stat = [this, stat = calls.stat](int fd, struct stat* status) {
      return fails(Call::stat) ? -1 : stat(fd, status);
    };
    calls.read = [this, read = calls.read](int fd, std::span<std::byte> out, off_t offset) {
      // Never more than three bytes at a time, as a signal may have it.
      return fails(Call::read) ? -1 : read(fd, out.first(std::min<std::size_t>(out.size(), 3)), offset);
    };
    calls.pause = [this](std::chrono::milliseconds time) { pauses_.push_back(time); };
    return calls;
  }
  [[nodiscard]] const Pauses& pauses() const { return pauses_; }

 private:
  bool fails(Call call) {
    if (call != call_ || left_ == 0) return false;
    --left_;
    errno = error_;
    return true;
  }
  Call call_;
  int error_;
  int left_;
  Pauses pauses_;
};

TEST_F(SampleBytesTest, TriesAgainWhatMayPass) {
  write(folder_ / "a", "0123456789");
  for (const auto call : {Failing::Call::open, Failing::Call::stat, Failing::Call::read}) {
    for (const int error :
         {EIO, ESTALE, ETIMEDOUT, EAGAIN, EINTR, ENOMEM, EMFILE, ENFILE, ENOTCONN, EHOSTDOWN, EREMOTEIO}) {
      for (const std::uint64_t size : {0, 10}) {
        Failing failing(call, error, 3);
        SampleBytes bytes(kMax, failing.calls());
        EXPECT_EQ(bytes.read({(folder_ / "a").string(), 0, size}), Reason::none);
        EXPECT_EQ(text_of(bytes), "0123456789");
        using std::chrono::milliseconds;
        EXPECT_EQ(failing.pauses(), (Pauses{milliseconds(50), milliseconds(100), milliseconds(200)}));
      }
    }
  }
}

TEST_F(SampleBytesTest, GivesUpAfterThreeSeconds) {
  write(folder_ / "a", "0123456789");
  Failing failing(Failing::Call::read, EIO, 1000);
  SampleBytes bytes(kMax, failing.calls());
  const auto [code, text] = error_of([&] { return bytes.read({(folder_ / "a").string()}); });
  EXPECT_EQ(code, ExitCode::io_error);
  EXPECT_THAT(text,
              AllOf(HasSubstr((folder_ / "a").string()), HasSubstr("Input/output error (tried 7 time(s))")));
  const auto total =
      std::accumulate(failing.pauses().begin(), failing.pauses().end(), std::chrono::milliseconds(0));
  EXPECT_NEAR(static_cast<double>(total.count()), 3000, 500);
}

TEST_F(SampleBytesTest, DoesNotTryAgainWhatStays) {
  write(folder_ / "a", "0123456789");
  Failing failing(Failing::Call::read, EINVAL, 1);
  SampleBytes bytes(kMax, failing.calls());
  EXPECT_EQ(error_of([&] { return bytes.read({(folder_ / "a").string()}); }).first, ExitCode::io_error);
  EXPECT_TRUE(failing.pauses().empty());
}

TEST_F(SampleBytesTest, AStaleTarIsOpenedAgain) {
  write(folder_ / "a.tar", "0123456789");
  int reads = 0;
  std::vector<int> opened;
  FileCalls calls;
  calls.pause = [](std::chrono::milliseconds) {};
  calls.open = [&opened, open = calls.open](const char* path) { return opened.emplace_back(open(path)); };
  calls.read = [&reads, read = calls.read](int fd, std::span<std::byte> out, off_t offset) -> ssize_t {
    if (++reads == 2) return errno = ESTALE, -1;
    return read(fd, out, offset);
  };
  SampleBytes bytes(kMax, calls);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bytes.read({(folder_ / "a.tar").string(), 1, 2}), Reason::none);
  EXPECT_EQ(opened.size(), 2);
}

}  // namespace
}  // namespace polyhead::data
