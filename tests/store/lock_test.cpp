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

TEST(OutputLock, KeepsOutWhoComesByALink) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("result.h5", folder / "link.h5");
  const OutputLock lock(folder / "result.h5");
  EXPECT_THAT(message_in_child([&] { const OutputLock second(folder / "link.h5"); }),
              HasSubstr("result.h5: is being written by process "));
}

TEST(OutputLock, KeepsOutWhoComesByAHardLink) {
  const TemporaryFolder folder;
  const auto output = folder.write("result.h5", "rows");
  std::filesystem::create_hard_link(output, folder / "twin.h5");
  const auto second = [&] { return message_in_child([&] { const OutputLock lock(folder / "twin.h5"); }); };
  auto lock = std::make_unique<OutputLock>(output);
  EXPECT_EQ(second(),
            fmt::format("73: {}: is being written under another name of the same file (a hard link). "
                        "Wait until that run has ended, stop it, or choose another output.path",
                        (folder / "twin.h5").string()));
  EXPECT_FALSE(std::filesystem::exists(folder / "twin.h5.lock"));
  const FileDescriptor reader(::open(output.c_str(), O_RDONLY));
  EXPECT_EQ(::flock(reader.get(), LOCK_SH | LOCK_NB), 0);  // as h5py asks
  lock.reset();
  EXPECT_EQ(second(), "no error");
}

TEST(OutputLock, HoldsTheFileThatIsMadeMeanwhile) {
  const TemporaryFolder folder;
  OutputLock lock(folder / "result.h5");
  std::filesystem::create_hard_link(folder.write("result.h5", "rows"), folder / "twin.h5");
  lock.hold_file();
  lock.hold_file();  // its own lock is in nobody's way
  EXPECT_THAT(message_in_child([&] { const OutputLock second(folder / "twin.h5"); }),
              HasSubstr("(a hard link)"));
}

TEST(OutputLock, LeavesALockFileOfAnotherProgramAlone) {
  const TemporaryFolder folder;
  const auto other = folder.write("Cargo.lock", "[[package]]\n");
  const auto [code, message] = error_of([&] { return std::make_unique<OutputLock>(folder / "Cargo"); });
  EXPECT_EQ(code, ExitCode::cant_create);
  EXPECT_EQ(message, other.string() +
                         ": would be the output's lock file, but is a file of another program. "
                         "Choose another output.path, or remove that file if nobody needs it");
  std::string line;
  std::getline(std::ifstream(other), line);
  EXPECT_EQ(line, "[[package]]");
  for (const char* torn : {"", "proc", "process 7 on node"}) {
    const OutputLock lock(folder.write("result.h5.lock", torn).replace_extension());
  }
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
