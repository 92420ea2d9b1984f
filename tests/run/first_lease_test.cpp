/// First leases that are handed out while a job is still being set up.
#include "run/worker/first_lease.hpp"

#include <atomic>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support.hpp"
#include "local_job.hpp"
#include "polyhead/plan/steps.hpp"

namespace polyhead::run {
namespace {

using namespace testing;
using polyhead::testing::error_of;
using ::testing::HasSubstr;

std::unique_ptr<data::Loader> loader_of(std::unique_ptr<data::SampleReader> reader, std::int64_t samples) {
  data::Loader::Readers readers;
  readers.push_back(std::move(reader));
  return std::make_unique<data::Loader>(std::move(readers), data::DatasetShape{samples, {1, 1}}, 4, 2);
}

/// What a rank got.
struct Opened {
  plan::Lease lease;
  std::vector<std::int64_t> read;  ///< micro-batches, as the loader delivers them
};

/// Every rank opens; nobody coordinates.
std::vector<Opened> open_all(int ranks, std::int64_t samples, FirstLease first_lease) {
  comm::LocalWorld world(ranks);
  std::vector<Opened> opened(static_cast<std::size_t>(ranks));
  first_lease.find = [](std::int64_t first, std::int64_t count) {
    std::vector<data::Location> places;
    for (std::int64_t n = first; n < first + count; ++n)
      places.push_back(place(static_cast<std::uint64_t>(n)));
    return places;
  };
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      FirstLease mine = first_lease;
      if (rank > 0) {
        mine.work.clear();
        mine.find = {};
      }
      const bool works = first_lease.grid.works(rank);
      const auto loader = works ? loader_of(std::make_unique<CountingReader>(), samples) : nullptr;
      Opened& result = opened[static_cast<std::size_t>(rank)];
      result.lease = hand_out_first_lease(*world.channel(rank, 0), rank, mine, loader.get());
      if (!works) return;
      const plan::Grid& grid = first_lease.grid;
      const auto batches = plan::reads(result.lease, grid.heads, grid.member_of(rank), first_lease.all_read);
      for (std::size_t i = 0; i < batches.size(); ++i) result.read.push_back(loader->next().index);
      EXPECT_EQ(error_of([&] { loader->next(); }).first, ExitCode::internal);  // nothing else is asked for
    });
  }
  threads.clear();
  return opened;
}

FirstLease opening_of(plan::Grid grid, std::int64_t samples, bool all_read, std::vector<plan::Lease> work) {
  return {grid, {samples, 4}, all_read, 10s, std::move(work), {}};
}

TEST(FirstLease, EachRankReadsItsPartOfItsGroupsFirstLease) {
  const auto opened = open_all(7, 100, opening_of({3, 2}, 100, false, {{3, 2}, {9, 1}, {20, 5}}));
  const std::vector<plan::Lease> leases{{3, 2}, {9, 1}, {20, 2}};
  const std::vector<std::vector<std::int64_t>> read{{3}, {4}, {9}, {}, {20}, {21}};
  for (std::size_t rank = 0; rank < 6; ++rank) {
    EXPECT_EQ(opened[rank].lease, leases[rank / 2]) << rank;
    EXPECT_EQ(opened[rank].read, read[rank]) << rank;
  }
  EXPECT_EQ(opened[6].lease, plan::Lease{});  // a surplus rank
}

TEST(FirstLease, WhereFeaturesAreLocalEachRankReadsAllOfIt) {
  const auto opened = open_all(4, 100, opening_of({2, 2}, 100, true, {{0, 25}}));
  for (const std::size_t rank : {0, 1}) EXPECT_EQ(opened[rank].read, (std::vector<std::int64_t>{0, 1}));
  for (const std::size_t rank : {2, 3}) EXPECT_EQ(opened[rank].read, (std::vector<std::int64_t>{2, 3}));
}

TEST(FirstLease, GroupsWithoutWorkBeginWithNothing) {
  const auto opened = open_all(3, 5, opening_of({3, 1}, 5, false, {{0, 2}}));
  EXPECT_EQ(opened[1].read, std::vector<std::int64_t>{1});  // the last one, which is short
  EXPECT_EQ(opened[2].lease, plan::Lease{});
  EXPECT_TRUE(opened[2].read.empty());
}

TEST(FirstLease, OfAnyWorkOnAnyGridNothingIsReadTwice) {
  std::mt19937 dice(17);
  for (int round = 0; round < 60; ++round) {
    const std::int64_t batches = 1 + dice() % 40;
    std::vector<std::uint8_t> ledger(static_cast<std::size_t>(batches));
    for (auto& byte : ledger) byte = static_cast<std::uint8_t>(dice() % 2);
    const plan::Grid grid{static_cast<int>(1 + dice() % 4), static_cast<int>(1 + dice() % 3)};
    const int ranks = grid.ranks() + static_cast<int>(dice() % 2);
    const auto work = plan::missing_in(ledger);
    const auto opened = open_all(ranks, 4 * batches, opening_of(grid, 4 * batches, false, work));
    const auto leases = plan::LeaseSchedule(work, grid.data, grid.heads).open(0);
    std::vector<std::int64_t> read;
    std::vector<std::int64_t> expected;
    for (const plan::Lease& lease : leases) {
      for (std::int64_t i = 0; i < lease.count; ++i) expected.push_back(lease.first + i);
    }
    for (const Opened& rank : opened) read.insert(read.end(), rank.read.begin(), rank.read.end());
    ASSERT_EQ(read, expected) << "round " << round;
  }
}

TEST(FirstLease, WithoutAWordFromRank0RanksGiveUp) {
  comm::LocalWorld world(2);
  const auto loader = loader_of(std::make_unique<CountingReader>(), 8);
  const auto [code, text] = error_of([&] {
    hand_out_first_lease(*world.channel(1, 0), 1, {{2, 1}, {8, 4}, false, 50ms, {}, {}}, loader.get());
  });
  EXPECT_EQ(code, ExitCode::unavailable);
  EXPECT_THAT(text, HasSubstr("rank 0 has not said within 0.05 s where the work begins"));
}

/// Reads until it is let go.
class SlowReader final : public data::SampleReader {
 public:
  explicit SlowReader(std::atomic<int>& begun) : begun_(begun) {}
  void read(std::int64_t /*first*/, std::span<const data::Location> /*locations*/,
            std::span<float> /*pixels*/, std::span<Reason> /*reasons*/) override {
    ++begun_;
    begun_.notify_all();
    std::this_thread::sleep_for(20ms);
  }

 private:
  std::atomic<int>& begun_;
};

/// Set-up may fail while images are read: nothing waits for the rest of them.
TEST(FirstLease, ReadingEndsWithTheSampleUnderWayWhenSetUpFails) {
  comm::LocalWorld world(1);
  std::atomic<int> begun = 0;
  auto loader = loader_of(std::make_unique<SlowReader>(begun), 4000);
  const auto find = [](std::int64_t, std::int64_t) { return std::vector<data::Location>{}; };
  hand_out_first_lease(*world.channel(0, 0), 0, {{1, 1}, {4000, 4}, false, 1s, {{0, 1000}}, find},
                       loader.get());
  begun.wait(0);
  loader.reset();
  EXPECT_LE(begun, 2);
}

}  // namespace
}  // namespace polyhead::run
