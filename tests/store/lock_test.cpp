#include <atomic>
#include <fstream>
#include <memory>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>

#include "child.hpp"
#include "polyhead/store/writer.hpp"

namespace polyhead::store {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::message_in_child;
using polyhead::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(OutputLock, KeepsAnotherProcessOutAndNamesTheHolder) {
  const TemporaryFolder folder;
  const auto output = folder / "runs/result.h5";
  auto lock = std::make_unique<OutputLock>(output);
  const std::string message = message_in_child([&] { const OutputLock second(output); });
  EXPECT_THAT(message, AllOf(HasSubstr("73: " + output.string() + ": is being written by process "),
                             HasSubstr(fmt::format("process {} on ", ::getpid())), HasSubstr("output.path"),
                             HasSubstr(output.string() + ".lock")));
  lock.reset();
  EXPECT_FALSE(std::filesystem::exists(output.string() + ".lock"));
  EXPECT_EQ(message_in_child([&] { const OutputLock second(output); }), "no error");
}

TEST(OutputLock, TakesOverTheFileOfADeadProcess) {
  const TemporaryFolder folder;
  std::ofstream(folder / "result.h5.lock") << "process 1 on a node that lost its power\n";
  const OutputLock lock(folder / "result.h5");
  std::string holder;
  std::getline(std::ifstream(folder / "result.h5.lock"), holder);
  EXPECT_THAT(holder, HasSubstr(fmt::format("process {} on ", ::getpid())));
}

TEST(OutputLock, ShowsNoControlCharactersOfAHolder) {
  const TemporaryFolder folder;
  std::ofstream(folder / "result.h5.lock") << "\033[2Jpwned" << std::string(1000, 'x');
  const FileDescriptor held(::open((folder / "result.h5.lock").c_str(), O_RDWR));
  ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
  const std::string message =
      error_of([&] { return std::make_unique<OutputLock>(folder / "result.h5"); }).second;
  EXPECT_THAT(message, HasSubstr("is being written by ?[2Jpwnedxxx"));
  EXPECT_LT(message.size(), 500U);
}

TEST(OutputLock, FollowsNoLink) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink(folder / "target", folder / "result.h5.lock");
  const auto [code, message] = error_of([&] { return std::make_unique<OutputLock>(folder / "result.h5"); });
  EXPECT_EQ(code, ExitCode::cant_create);
  EXPECT_THAT(message, HasSubstr("result.h5.lock: the output's lock file cannot be created"));
  EXPECT_FALSE(std::filesystem::exists(folder / "target"));
}

TEST(OutputLock, LeavesAFileAloneThatAnotherPutInItsPlace) {
  const TemporaryFolder folder;
  auto lock = std::make_unique<OutputLock>(folder / "result.h5");
  std::filesystem::remove(folder / "result.h5.lock");
  std::ofstream(folder / "result.h5.lock") << "another";
  lock.reset();
  EXPECT_TRUE(std::filesystem::exists(folder / "result.h5.lock"));
}

/// Threads take and drop the lock as fast as they can: never two at a time, whoever removes the file.
TEST(OutputLock, IsNeverHeldTwice) {
  const TemporaryFolder folder;
  std::atomic<int> holders = 0;
  std::atomic<int> taken = 0;
  std::atomic<bool> twice = false;
  const auto contend = [&] {
    for (int i = 0; i < 200; ++i) {
      try {
        const OutputLock lock(folder / "result.h5");
        if (++holders > 1) twice = true;
        ++taken;
        --holders;
      } catch (const Error&) {
        std::this_thread::yield();  // the other has it
      }
    }
  };
  std::thread other(contend);
  contend();
  other.join();
  EXPECT_FALSE(twice);
  EXPECT_GT(taken, 0);
}

}  // namespace
}  // namespace polyhead::store
