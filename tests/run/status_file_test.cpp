#include "polyhead/run/status_file.hpp"

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace polyhead::run {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class StatusFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/polyhead-status-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string read() const {
    std::ifstream file(folder_ / "status");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] bool comes_to_say(const std::string& line) const {
    for (int i = 0; i < 500 && read().find(line) == std::string::npos; ++i) std::this_thread::sleep_for(10ms);
    return read().find(line) != std::string::npos;
  }

  std::filesystem::path folder_;
};

TEST_F(StatusFileTest, NeverTakesThePlaceOfSomebodyElsesFile) {
  std::ofstream(folder_ / "status") << "a thesis";
  {
    StatusFile status(folder_ / "status");
    status.end(0);
  }
  EXPECT_EQ(read(), "a thesis");
}

TEST_F(StatusFileTest, TakesThePlaceOfAnEarlierOne) {
  std::ofstream(folder_ / "status") << "time=1\nstate=running\n";
  StatusFile status(folder_ / "status");
  status.end(0);
  EXPECT_THAT(read(), HasSubstr("state=ended\n"));
}

TEST_F(StatusFileTest, FollowsTheRun) {
  StatusFile status(folder_ / "status");
  EXPECT_TRUE(comes_to_say("state=starting\n"));
  EXPECT_THAT(read(), Not(HasSubstr("code=")));
  status.set("state", "running");
  status.set("resume", "polyhead run 'a\nb'");
  EXPECT_TRUE(comes_to_say("state=running\n"));
  EXPECT_THAT(read(), HasSubstr("resume=polyhead run 'a b'\n"));
  const std::string before = read();
  std::this_thread::sleep_for(2500ms);
  EXPECT_NE(read(), before) << "the time is not renewed";
  status.end(75);
  EXPECT_THAT(read(), HasSubstr("state=ended\n"));
  EXPECT_THAT(read(), HasSubstr("code=75\n"));
  status.set("state", "running");
  status.end(0);
  EXPECT_THAT(read(), HasSubstr("code=75\n"));
  const auto time = std::stol(read().substr(read().find("time=") + 5));
  EXPECT_NEAR(static_cast<double>(time), static_cast<double>(std::time(nullptr)), 5);
}

TEST_F(StatusFileTest, DoesNotFollowLinks) {
  const auto victim = folder_ / "victim";
  std::ofstream(victim) << "precious";
  std::filesystem::create_symlink(victim, folder_ / "status.new");
  std::filesystem::create_symlink(victim, folder_ / "status");
  StatusFile(folder_ / "status").end(0);
  EXPECT_THAT(read(), HasSubstr("state=ended\n"));
  std::string text;
  std::getline(std::ifstream(victim), text);
  EXPECT_EQ(text, "precious");
}

TEST_F(StatusFileTest, IsNeitherWantedNorPossibleEverywhere) {
  StatusFile("").end(1);
  StatusFile(folder_ / "missing" / "status").end(1);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST(WhoStopped, IsTakenFromTheText) {
  EXPECT_EQ(who_stopped("stopped by SIGTERM at rank 1 on node7\n3 of 8 micro-batches are finished"),
            "SIGTERM at rank 1 on node7");
  EXPECT_EQ(who_stopped("stopped at once: SIGINT at rank 0 on a"), "SIGINT at rank 0 on a");
  EXPECT_EQ(who_stopped("stopped by run.time_limit"), "run.time_limit");
}

TEST_F(StatusFileTest, OnlyRankZeroHasOne) {
  ::setenv("POLYHEAD_STATUS_FILE", "/tmp/x", 1);
  EXPECT_EQ(StatusFile::path_for(0), "/tmp/x");
  EXPECT_EQ(StatusFile::path_for(1), "");
  ::unsetenv("POLYHEAD_STATUS_FILE");
  EXPECT_EQ(StatusFile::path_for(0), "");
}

}  // namespace
}  // namespace polyhead::run
