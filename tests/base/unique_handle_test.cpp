#include "polyhead/base/unique_handle.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace polyhead {
namespace {

std::vector<int>& closed() {
  static std::vector<int> handles;
  return handles;
}

struct Traits {
  using type = int;
  static int invalid() { return -1; }
  static void close(int handle) noexcept { closed().push_back(handle); }
};
using Handle = UniqueHandle<Traits>;

class UniqueHandleTest : public ::testing::Test {
 protected:
  void SetUp() override { closed().clear(); }
};

TEST_F(UniqueHandleTest, ClosesOnce) {
  { const Handle handle(3); }
  EXPECT_EQ(closed(), std::vector{3});
}

TEST_F(UniqueHandleTest, MovingLeavesOneOwner) {
  {
    Handle first(3);
    const Handle second(std::move(first));
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_EQ(second.get(), 3);
  }
  EXPECT_EQ(closed(), std::vector{3});
}

TEST_F(UniqueHandleTest, AssignmentClosesTheOldHandle) {
  Handle first(3);
  first = Handle(4);
  EXPECT_EQ(closed(), std::vector{3});
  EXPECT_EQ(first.get(), 4);
}

TEST_F(UniqueHandleTest, SelfAssignmentKeepsIt) {
  Handle handle(3);
  Handle& same = handle;
  handle = std::move(same);
  EXPECT_EQ(handle.get(), 3);
  EXPECT_TRUE(closed().empty());
}

TEST_F(UniqueHandleTest, WhatIsReleasedIsNotClosed) {
  {
    Handle handle(3);
    EXPECT_EQ(handle.release(), 3);
    EXPECT_FALSE(handle);
  }
  EXPECT_TRUE(closed().empty());
}

}  // namespace
}  // namespace polyhead
