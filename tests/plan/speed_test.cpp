#include "polyhead/plan/speed.hpp"

#include <gtest/gtest.h>

namespace polyhead::plan {
namespace {

TEST(Speed, IsUnknownUntilSomethingIsFinishedInSomeTime) {
  Speed speed;
  EXPECT_FALSE(speed.known());
  speed.start(5);
  EXPECT_FALSE(speed.known());
  speed.add(1, 5);  // in no time: no measurement
  EXPECT_FALSE(speed.known());
  speed.add(1, 5.5);
  EXPECT_TRUE(speed.known());
}

TEST(Speed, IsExactWhenItIsConstant) {
  Speed speed(4);
  speed.start(100);
  for (int step = 1; step <= 50; ++step) speed.add(4, 100 + 0.5 * step);
  EXPECT_NEAR(speed.at(125), 8, 1e-9);
}

TEST(Speed, CountsMicroBatchesThatArriveTogether) {
  Speed speed(8);
  speed.start(0);
  for (int step = 1; step <= 30; ++step) {
    for (int i = 0; i < 8; ++i) speed.add(1, step);
  }
  EXPECT_NEAR(speed.at(30), 8, 0.8);
}

TEST(Speed, FollowsADeviceThatSlowsDown) {
  Speed speed;
  speed.start(0);
  for (int i = 1; i <= 20; ++i) speed.add(1, i);
  for (int i = 1; i <= 20; ++i) speed.add(1, 20 + 4 * i);
  EXPECT_NEAR(speed.at(100), 0.25, 0.05);
}

TEST(Speed, FallsWhileNothingIsHeard) {
  Speed speed;
  speed.start(0);
  for (int i = 1; i <= 20; ++i) speed.add(1, i);
  EXPECT_NEAR(speed.at(20), 1, 1e-9);
  EXPECT_NEAR(speed.at(20.5), 1, 1e-9);  // the next one is not due yet
  EXPECT_LT(speed.at(40), 0.5);
  EXPECT_LT(speed.at(1e6), 1e-4);
  EXPECT_EQ(speed.silence(40), 20);
}

TEST(Speed, SurvivesAClockThatGoesBack) {
  Speed speed;
  speed.start(10);
  speed.add(1, 12);
  speed.add(1, 11);
  EXPECT_EQ(speed.silence(11), 0);
  EXPECT_GT(speed.at(11), 0);
}

}  // namespace
}  // namespace polyhead::plan
