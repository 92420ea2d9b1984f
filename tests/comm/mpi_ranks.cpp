/// The conformance suite over real MPI: started by mpirun, on every rank at once. A rank that fails makes
/// mpirun fail.

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "channel_conformance.hpp"
#include "pending_conformance.hpp"
#include "polyhead/comm/mpi.hpp"

namespace polyhead::comm {
namespace {

MpiEnvironment* environment = nullptr;

TEST(Mpi, Collectives) {
  const auto world = environment->collectives();
  EXPECT_EQ(world->rank(), environment->rank());
  EXPECT_EQ(world->size(), environment->size());
  conformance::run_all_cases(*world);
}

TEST(Mpi, WhatIsLargeTravelsInPieces) {
  conformance::run_all_cases(*environment->collectives_within(std::chrono::seconds(30), 50'001));
}

TEST(Mpi, RanksOfOneColourFormAWorld) {
  const int rank = environment->rank();
  const auto part = environment->split(rank % 2, std::chrono::seconds(30));
  EXPECT_EQ(part->rank(), rank / 2);
  EXPECT_EQ(part->size(), (environment->size() + 1 - rank % 2) / 2);
  conformance::run_all_cases(*part);
}

TEST(Mpi, ARankWithoutColourHasNoWorld) {
  const bool last = environment->rank() == environment->size() - 1;
  const auto part = environment->split(last ? -1 : 0, std::chrono::seconds(30));
  EXPECT_EQ(part == nullptr, last);
  if (part) {
    EXPECT_EQ(part->size(), environment->size() - 1);
  }
}

TEST(Mpi, AStartedCollectiveEndsWhileItsRankComputes) {
  const auto world = environment->collectives();
  const std::vector<std::byte> mine(1U << 20U, std::byte{7});  // beyond the eager limit
  std::vector<std::byte> all(mine.size() * static_cast<std::size_t>(world->size()));
  world->barrier();
  const auto pending = world->start_all_gather(mine, all);
  // This thread calls MPI no more, and looks at the last byte of each block until it has come.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const auto arrived = [&] {
    for (std::size_t end = mine.size(); end <= all.size(); end += mine.size()) {
      if (std::atomic_ref(all[end - 1]).load() != std::byte{7}) return false;
    }
    return true;
  };
  while (!arrived() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(arrived());
  pending->wait();
  world->barrier();
}

TEST(Mpi, HandlesOutliveTheCollectivesTheyCameFrom) {
  auto world = environment->collectives();
  conformance::Gather gather(*world, 1, 3000);
  const int size = world->size();
  world.reset();
  gather.wait();
  const auto again = environment->collectives();
  ASSERT_EQ(again->size(), size);
  gather.check(*again, conformance::itself);
}

TEST(Mpi, Channels) {
  const auto world = environment->collectives();
  const auto up = environment->channel(std::chrono::seconds(20), std::chrono::seconds(20));
  const auto down = environment->channel(std::chrono::seconds(20), std::chrono::seconds(20));
  conformance::channel_keeps_order_per_sender(*world, *up, *down);
  conformance::channel_waits_no_longer_than_told(*up);
  world->barrier();
}

TEST(Mpi, LargeMessagesArriveWhole) {
  const auto world = environment->collectives();
  const auto channel = environment->channel(std::chrono::seconds(20), std::chrono::seconds(20));
  constexpr std::size_t kSize = 8U << 20U;  // far beyond the eager limit
  if (world->rank() != 0) channel->send(0, 1, std::vector<std::byte>(kSize, std::byte{42}));
  for (int i = 1; world->rank() == 0 && i < world->size(); ++i) {
    const auto message = channel->receive(std::chrono::seconds(20));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->bytes, std::vector<std::byte>(kSize, std::byte{42}));
  }
  world->barrier();
}

TEST(Mpi, LocalRanksAreNumberedFromZero) {
  // All ranks of this test share one host.
  EXPECT_EQ(environment->local_rank(), environment->rank());
  EXPECT_FALSE(environment->host().empty());
}

TEST(Mpi, ACollectiveThatNobodyJoinsEnds) {
  if (environment->size() == 1) return;
  // Not joined by rank 0 until it is over.
  MpiEnvironment& mpi = *environment;
  const auto guard = mpi.collectives();
  const auto impatient = mpi.collectives_within(std::chrono::milliseconds(50));
  if (mpi.rank() != 0) {
    EXPECT_THROW(impatient->barrier(), Error);
  }
  guard->barrier();
  // A program would end here. The test goes on, so the open request has to complete before its communicator
  // is freed.
  if (mpi.rank() == 0) impatient->barrier();
  guard->barrier();
}

}  // namespace
}  // namespace polyhead::comm

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  polyhead::comm::MpiEnvironment mpi(std::chrono::seconds(30));
  polyhead::comm::environment = &mpi;
  return RUN_ALL_TESTS();
}
