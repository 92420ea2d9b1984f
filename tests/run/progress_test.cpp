#include "polyhead/run/progress.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include <gmock/gmock.h>

namespace polyhead::run {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ProgressLine, GivesShareSpeedAndTimeLeft) {
  EXPECT_EQ(progress_line(400, 1000, 4), " 40%  400/1000  100.0 img/s  6.0 s left");
  EXPECT_EQ(progress_line(1000, 1000, 8), "100%  1000/1000  125.0 img/s  0.0 s left");
  EXPECT_THAT(progress_line(10, 72010, 1), EndsWith("10.0 img/s  2:00:00 left"));
}

TEST(ProgressLine, WhatEarlierRunsDidIsNoSpeedOfThisOne) {
  EXPECT_EQ(progress_line(500, 1000, 10, 400), " 50%  500/1000  10.0 img/s  50.0 s left");
}

TEST(ProgressLine, KnowsNoTimeLeftBeforeTheFirstSample) {
  EXPECT_EQ(progress_line(0, 1000, 4), "  0%  0/1000  0.0 img/s  ? left");
  EXPECT_EQ(progress_line(0, 1000, 0), "  0%  0/1000  0.0 img/s  ? left");
}

TEST(ProgressBar, IsAsWideWhenEmptyAsWhenFull) {
  EXPECT_EQ(progress_bar(0), "[>                             ]");
  EXPECT_EQ(progress_bar(0.5), "[===============>              ]");
  EXPECT_EQ(progress_bar(0.999), "[=============================>]");
  EXPECT_EQ(progress_bar(1), "[==============================]");
}

/// A run whose time is told, and what it writes to stderr.
class ProgressTest : public ::testing::Test {
 protected:
  void start(ProgressStyle style) {
    ::testing::internal::CaptureStderr();
    progress_.emplace(style, 1000, 0, [this] { return now_; });
  }
  void pass(milliseconds time, std::int64_t done) {
    now_ += time;
    progress_->update(done);
  }
  /// All that was written.
  std::string end() {
    progress_.reset();
    return ::testing::internal::GetCapturedStderr();
  }

  Progress::Clock::time_point now_{};
  std::optional<Progress> progress_;
};

TEST_F(ProgressTest, ABarIsRedrawnFiveTimesASecond) {
  start(ProgressStyle::bar);
  for (int i = 1; i <= 50; ++i) pass(milliseconds(20), i);  // one second
  const std::string text = end();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 5);
  EXPECT_THAT(
      text, StartsWith("\r[>                             ]   1%  10/1000  50.0 img/s  19.8 s left\x1b[K\r["));
}

TEST_F(ProgressTest, ABarEndsFullAndEndsItsLineOnce) {
  start(ProgressStyle::bar);
  pass(seconds(1), 500);
  now_ += seconds(1);
  progress_->finish();
  const std::string text = end();
  EXPECT_THAT(
      text, EndsWith("\r[==============================] 100%  1000/1000  500.0 img/s  0.0 s left\x1b[K\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST_F(ProgressTest, ABarThatIsLeftHalfWayEndsItsLine) {
  start(ProgressStyle::bar);
  pass(seconds(1), 500);
  EXPECT_THAT(end(), EndsWith("left\x1b[K\n"));
}

TEST_F(ProgressTest, AShortRunDrawsNoBar) {
  start(ProgressStyle::bar);
  pass(milliseconds(100), 999);
  progress_->finish();
  EXPECT_EQ(end(), "");
}

TEST_F(ProgressTest, LinesComeInGrowingDistances) {
  start(ProgressStyle::lines);
  std::vector<int> shown;
  for (int second = 1; second <= 1300; ++second) {
    ::testing::internal::GetCapturedStderr();
    ::testing::internal::CaptureStderr();
    pass(seconds(1), second / 2);
    const std::string text = ::testing::internal::GetCapturedStderr();
    ::testing::internal::CaptureStderr();
    if (text.empty()) continue;
    EXPECT_THAT(text,
                AllOf(HasSubstr("[info]"), HasSubstr(" img/s"), EndsWith(" left\n"), Not(HasSubstr("\r"))));
    shown.push_back(second);
  }
  EXPECT_THAT(shown, ElementsAre(10, 30, 70, 150, 310, 610, 910, 1210));
  EXPECT_EQ(end(), "");
}

TEST_F(ProgressTest, NoneIsSilent) {
  start(ProgressStyle::none);
  pass(seconds(1000), 500);
  progress_->finish();
  EXPECT_EQ(end(), "");
}

TEST_F(ProgressTest, OffATerminalLinesAreChosen) {
  start(ProgressStyle::automatic);  // stderr is a file here
  pass(seconds(11), 500);
  EXPECT_THAT(end(), AllOf(HasSubstr("[info]"), Not(HasSubstr("\r"))));
}

}  // namespace
}  // namespace polyhead::run
