/// The conformance suite over real MPI: started by mpirun, on every rank at once. A rank that fails makes
/// mpirun fail.

#include <gtest/gtest.h>

#include "conformance.hpp"
#include "polyhead/comm/mpi.hpp"

namespace polyhead::comm {
namespace {

MpiEnvironment* environment = nullptr;

TEST(Mpi, Collectives) {
  const auto world = environment->collectives();
  EXPECT_EQ(world->rank(), environment->rank());
  EXPECT_EQ(world->size(), environment->size());
  for (const auto& test : conformance::collective_cases()) test(*world);
}

TEST(Mpi, Channels) {
  const auto world = environment->collectives();
  const auto up = environment->channel(std::chrono::seconds(20));
  const auto down = environment->channel(std::chrono::seconds(20));
  conformance::channel_keeps_order_per_sender(*world, *up, *down);
  conformance::channel_waits_no_longer_than_told(*up);
  world->barrier();
}

TEST(Mpi, LargeMessagesArriveWhole) {
  const auto world = environment->collectives();
  const auto channel = environment->channel(std::chrono::seconds(20));
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
