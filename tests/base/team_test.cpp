#include "polyhead/base/team.hpp"

#include <atomic>
#include <chrono>
#include <vector>

#include <gtest/gtest.h>

namespace polyhead {
namespace {

TEST(Team, DoesEachItemOnceAndWaitsForAll) {
  for (const int threads : {1, 2, 7}) {
    Team team(threads);
    EXPECT_EQ(team.threads(), threads);
    for (int round = 0; round < 500; ++round) {
      std::vector<int> done(static_cast<std::size_t>(round % 40));
      team.run(static_cast<int>(done.size()), [&](int item, int thread) {
        EXPECT_TRUE(thread >= 0 && thread < threads);
        ++done[static_cast<std::size_t>(item)];
      });
      EXPECT_EQ(done, std::vector<int>(done.size(), 1));
    }
  }
}

TEST(Team, EveryThreadTakesPart) {
  Team team(3);
  std::atomic<int> here{0};
  team.run(3, [&](int, int) {
    ++here;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (here < 3 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  });
  EXPECT_EQ(here, 3) << "a thread did two items while the others slept";
}

TEST(Team, WakesAfterASleep) {
  Team team(2);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<int> sum{0};
    team.run(100, [&](int item, int) { sum += item; });
    EXPECT_EQ(sum, 4950);
  }
}

}  // namespace
}  // namespace polyhead
