#include "polyhead/plan/steps.hpp"

#include <gtest/gtest.h>

namespace polyhead::plan {
namespace {

TEST(Steps, CutALease) {
  const Steps steps({10, 7}, 3);
  ASSERT_EQ(steps.count(), 3);
  EXPECT_EQ(steps[0], (Step{10, 3}));
  EXPECT_EQ(steps[2], (Step{16, 1}));
  EXPECT_EQ(Steps({10, 0}, 3).count(), 0);
}

TEST(Steps, EachMicroBatchHasOneReader) {
  for (int heads = 1; heads <= 5; ++heads) {
    for (std::int64_t count = 0; count <= 12; ++count) {
      std::vector<int> readers(static_cast<std::size_t>(count));
      for (int member = 0; member < heads; ++member) {
        for (const std::int64_t batch : reads({100, count}, heads, member, false)) {
          ++readers.at(static_cast<std::size_t>(batch - 100));
          EXPECT_EQ((batch - 100) % heads, member);
        }
      }
      EXPECT_EQ(readers, std::vector<int>(static_cast<std::size_t>(count), 1));
    }
  }
}

TEST(Steps, WithLocalFeaturesEveryoneReadsAll) {
  EXPECT_EQ(reads({4, 3}, 2, 1, true), (std::vector<std::int64_t>{4, 5, 6}));
}

}  // namespace
}  // namespace polyhead::plan
