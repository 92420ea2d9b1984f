#include "polyhead/comm/local.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "channel_conformance.hpp"
#include "pending_conformance.hpp"

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
    conformance::run_all_cases(*mine);
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
  const std::vector<std::byte> mine(1);
  std::vector<std::byte> all(2);
  const auto pending = world.collectives(0)->start_all_gather(mine, all);
  EXPECT_THROW(pending->wait(), Error);
}

TEST(LocalWorld, StartingDoesNotWait) {
  LocalWorld world(2);
  const std::vector<std::byte> mine{std::byte{1}};
  std::vector<std::byte> all(2);
  const auto pending = world.collectives(0)->start_all_gather(mine, all);  // rank 1 has not come yet
  const std::vector<std::byte> its{std::byte{2}};
  std::vector<std::byte> its_all(2);
  world.collectives(1)->start_all_gather(its, its_all)->wait();
  pending->wait();
  EXPECT_EQ(all, (std::vector<std::byte>{std::byte{1}, std::byte{2}}));
  EXPECT_EQ(its_all, all);
}

}  // namespace
}  // namespace polyhead::comm
