#include "comm/dry_run.hpp"

#include <gtest/gtest.h>

#include "pending_conformance.hpp"

namespace polyhead::comm {
namespace {

TEST(DryRun, EveryRankLooksLikeThisOne) {
  for (const int size : {1, 2, 3, 8}) {
    for (const int rank : {0, size / 2, size - 1}) {
      const auto world = make_dry_run(rank, size);
      EXPECT_EQ(world->rank(), rank);
      EXPECT_EQ(world->size(), size);
      conformance::run_all_cases(*world, conformance::like_me);
    }
  }
}

}  // namespace
}  // namespace polyhead::comm
