#include "polyhead/run/identity.hpp"

#include <functional>
#include <thread>

#include <gmock/gmock.h>

#include "polyhead/comm/agreement.hpp"
#include "polyhead/comm/local.hpp"

namespace polyhead::run {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// Runs `body` on three ranks, each in a thread of its own.
void on_three_ranks(const std::function<void(comm::Collectives&)>& body) {
  comm::LocalWorld world(3);
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < 3; ++rank) {
    threads.emplace_back([&world, &body, rank] { body(*world.collectives(rank)); });
  }
}

/// Rank 1 has another processor.
std::string mixed(int rank) {
  return rank == 1 ? "avx2" : "avx512";
}

TEST(Fingerprint, EqualOnesAreAgreedOn) {
  on_three_ranks([](comm::Collectives& world) { EXPECT_TRUE(agree_on_fingerprint(world, "avx2", false)); });
}

TEST(Fingerprint, DifferentOnesAreRefusedOnEveryRank) {
  on_three_ranks([](comm::Collectives& world) {
    try {
      agree_on_fingerprint(world, mixed(world.rank()), false);
      ADD_FAILURE() << "rank " << world.rank() << " did not throw";
    } catch (const comm::AgreedError& error) {
      EXPECT_EQ(error.code(), ExitCode::config);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("ranks 1: avx2"), HasSubstr("ranks 0, 2: avx512"),
                                      HasSubstr("--allow-mixed")));
    }
  });
}

TEST(Fingerprint, DifferentOnesMayBeAllowed) {
  on_three_ranks(
      [](comm::Collectives& world) { EXPECT_FALSE(agree_on_fingerprint(world, mixed(world.rank()), true)); });
}

TEST(Fingerprint, NamesWhatBitsDependOn) {
  const std::string text = fingerprint_json({}, {});
  EXPECT_THAT(text, AllOf(HasSubstr("\"cpu\""), HasSubstr("\"engine\""), HasSubstr("\"libc\""),
                          HasSubstr("\"polyhead\"")));
}

}  // namespace
}  // namespace polyhead::run
