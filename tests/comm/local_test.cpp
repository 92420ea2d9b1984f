#include "polyhead/comm/local.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "conformance.hpp"

namespace polyhead::comm {
namespace {

class LocalWorldTest : public ::testing::TestWithParam<int> {
 protected:
  /// Runs `body` once for each rank, each in a thread of its own.
  void on_all_ranks(const std::function<void(int rank)>& body) {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < GetParam(); ++rank) threads.emplace_back(body, rank);
  }
};

TEST_P(LocalWorldTest, Collectives) {
  LocalWorld world(GetParam());
  on_all_ranks([&](int rank) {
    const auto mine = world.collectives(rank);
    EXPECT_EQ(mine->rank(), rank);
    EXPECT_EQ(mine->size(), GetParam());
    for (const auto& test : conformance::collective_cases()) test(*mine);
  });
}

TEST_P(LocalWorldTest, Channels) {
  LocalWorld world(GetParam());
  on_all_ranks([&](int rank) {
    const auto up = world.channel(rank, 0);
    const auto down = world.channel(rank, 1);
    conformance::channel_keeps_order_per_sender(*world.collectives(rank), *up, *down);
    conformance::channel_waits_no_longer_than_told(*up);
  });
}
INSTANTIATE_TEST_SUITE_P(Ranks, LocalWorldTest, ::testing::Values(1, 2, 3, 4, 8));

TEST(LocalWorld, ARankThatNeverArrivesIsNoticed) {
  LocalWorld world(2, std::chrono::milliseconds(20));
  EXPECT_THROW(world.collectives(0)->barrier(), Error);
}

}  // namespace
}  // namespace polyhead::comm
