#include "run/coordinator/coordinator.hpp"

#include <array>
#include <atomic>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "local_job.hpp"
#include "run/protocol/messages.hpp"

namespace polyhead::run {
namespace {

using namespace std::chrono_literals;
using testing::Compute;
using ::testing::HasSubstr;
using testing::LocalJob;
using testing::numbered_rows;

store::Rows number(const data::Batch& batch) {
  EXPECT_EQ(batch.pixels.front(), static_cast<float>(batch.first_sample));
  return numbered_rows(batch.index, batch.first_sample, batch.samples);
}

/// Ranks, samples, and whether the first leases are handed out before the coordinator starts.
class CoordinatorTest : public ::testing::TestWithParam<std::tuple<int, std::int64_t, bool>> {};

TEST_P(CoordinatorTest, EverySampleIsWrittenOnceAndCommitted) {
  const auto [ranks, samples, opened] = GetParam();
  LocalJob job(ranks, samples, 4);
  job.settings.opened = opened;
  std::int64_t shown = 0;
  job.settings.progress = [&](std::int64_t done) { shown = done; };
  const auto error = job.run(number);
  ASSERT_FALSE(error) << error->what();
  for (std::int64_t n = 0; n < samples; ++n) ASSERT_EQ(job.prediction(n), n);
  EXPECT_EQ(job.ledger_sum(), (samples + 3) / 4);
  EXPECT_EQ(shown, samples);
  EXPECT_GE(job.disk.syncs, 1);
}
INSTANTIATE_TEST_SUITE_P(RanksAndSamples, CoordinatorTest,
                         ::testing::Combine(::testing::Values(1, 2, 3, 8), ::testing::Values(1, 4, 37, 1000),
                                            ::testing::Bool()));

TEST(Coordinator, AnyLeaseSizesWillDo) {
  LocalJob job(3, 1000, 4);
  std::mt19937 dice(9);
  job.lease_sizes = [&] { return static_cast<std::int64_t>(1 + dice() % 20); };
  const auto error = job.run(number);
  ASSERT_FALSE(error) << error->what();
  for (std::int64_t n = 0; n < 1000; ++n) ASSERT_EQ(job.prediction(n), n);
  EXPECT_EQ(job.ledger_sum(), 250);
}

TEST(Coordinator, OnlyWhatIsMissingIsComputed) {
  std::mt19937 dice(12);
  for (const int ranks : {1, 2, 3, 8}) {
    LocalJob job(ranks, 397, 4);
    job.settings.opened = ranks > 1;
    std::vector<std::uint8_t> earlier(100);
    for (std::uint8_t& byte : earlier) byte = static_cast<std::uint8_t>(dice() % 3 > 0);
    job.finish_earlier(earlier);
    std::int64_t shown = 0;
    job.settings.progress = [&](std::int64_t done) { shown = done; };
    std::array<std::atomic<int>, 100> computed{};
    const auto error = job.run([&](const data::Batch& batch) {
      ++computed.at(static_cast<std::size_t>(batch.index));
      return number(batch);
    });
    ASSERT_FALSE(error) << error->what();
    for (std::size_t b = 0; b < computed.size(); ++b) ASSERT_EQ(computed[b], 1 - earlier[b]) << b;
    EXPECT_EQ(job.ledger_sum(), 100);
    EXPECT_EQ(shown, 397);
  }
}

TEST(Coordinator, BadSamplesOfEarlierRunsCount) {
  LocalJob job(1, 40, 4);
  job.settings.timeout = 1s;
  job.settings.max_bad = 4;
  job.finish_earlier({1, 1});
  job.settings.earlier.quarantined = 3;
  const auto error = job.run([](const data::Batch& batch) {
    return numbered_rows(batch.index, batch.first_sample, batch.samples, 2);
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::bad_data);
  EXPECT_THAT(error->what(), HasSubstr("7 samples are quarantined, data.max_bad allows 4 of 40"));
}

TEST(Coordinator, ASlowRankGetsLess) {
  constexpr int kRanks = 3;
  LocalJob job(kRanks, 480, 4);
  std::array<std::atomic<int>, kRanks> done{};
  const auto error = job.run_each([&](int rank) {
    return [&done, rank](const data::Batch& batch) {
      ++done[static_cast<std::size_t>(rank)];
      std::this_thread::sleep_for(rank == 1 ? 20ms : 5ms);
      return number(batch);
    };
  });
  ASSERT_FALSE(error) << error->what();
  EXPECT_EQ(done[0] + done[1] + done[2], 120);
  EXPECT_LT(done[1], 30);  // 13 by its speed; 40 in equal shares
  EXPECT_GT(done[1], 2);   // and more than it got unseen
}

TEST(Coordinator, AWorkersFailureEndsTheJobAndKeepsWhatIsDone) {
  LocalJob job(2, 400, 4);
  job.settings.timeout = 1s;
  const auto error = job.run([](const data::Batch& batch) {
    if (batch.index == 60) throw Error(ExitCode::io_error, "data.h5: read failed");
    return number(batch);
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::io_error);
  EXPECT_THAT(error->what(), HasSubstr("on host: data.h5: read failed"));
  EXPECT_GE(job.failed_workers, 1);
  EXPECT_GT(job.ledger_sum(), 0);
  EXPECT_LT(job.ledger_sum(), 100);
}

TEST(Coordinator, RowsThatDoNotFitAreNeverWritten) {
  LocalJob job(1, 40, 4);
  job.settings.timeout = 1s;
  const auto error = job.run([](const data::Batch& batch) {
    return numbered_rows(batch.index, batch.first_sample, batch.samples + (batch.index == 5 ? 1 : 0));
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::internal);
}

TEST(Coordinator, WriteErrorsAreReported) {
  LocalJob job(1, 40, 4);
  job.settings.timeout = 1s;
  job.disk.full = true;
  const auto error = job.run(number);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::io_error);
  EXPECT_THAT(error->what(), HasSubstr("no space left"));
  EXPECT_EQ(job.ledger_sum(), 0);
}

/// In a micro-batch: two pages of fused scores, and one of the head's predictions.
constexpr std::int64_t kPagesOfRows = 16384;

TEST(Coordinator, RanksMayWriteTheirOwnPages) {
  LocalJob job(3, 4 * kPagesOfRows + 5, kPagesOfRows);
  job.disk.bytes.resize(std::size_t{9} << 20U);  // several threads write
  job.own_file = [&] { return std::make_unique<testing::MemoryFile>(job.disk); };
  const auto error = job.run(number);
  ASSERT_FALSE(error) << error->what();
  EXPECT_EQ(job.own_bytes.load(), static_cast<std::uint64_t>(4 * kPagesOfRows * 12));
  for (std::int64_t n = 0; n < 4 * kPagesOfRows + 5; ++n) {
    ASSERT_EQ(job.prediction(n), n);
    ASSERT_EQ(job.fused_score(n), 0.5F);
  }
  EXPECT_EQ(job.ledger_sum(), 5);
}

/// Its writes seem to work.
class UnsyncableFile final : public store::File {
 public:
  void write(std::uint64_t /*offset*/, std::span<const std::byte> /*bytes*/) override {}
  void sync() override { throw Error(ExitCode::io_error, "cannot be written to the disk"); }
};

TEST(Coordinator, PagesThatDoNotReachTheDiskAreNeverMarked) {
  LocalJob job(2, 4 * kPagesOfRows, kPagesOfRows);
  job.disk.bytes.resize(std::size_t{9} << 20U);
  job.settings.timeout = 1s;
  job.own_file = [] { return std::make_unique<UnsyncableFile>(); };
  const auto error = job.run(number);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::io_error);
  EXPECT_THAT(error->what(), HasSubstr("on host: cannot be written to the disk"));
  EXPECT_EQ(job.ledger_sum(), 0);
}

TEST(Coordinator, ASilentRankIsNamed) {
  LocalJob job(2, 40, 4);
  job.settings.timeout = 1s;
  job.settings.hosts = {"alpha", "beta"};
  // Rank 1 takes a lease and is never heard of again; rank 0 works.
  job.world.channel(1, 0)->send(0, static_cast<int>(ToCoordinator::request), {});
  std::jthread worker([&] { job.work_as(0, number); });
  const auto error = job.coordinate();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::unavailable);
  EXPECT_THAT(error->what(), HasSubstr("rank 1 on beta has been silent"));
  EXPECT_THAT(error->what(), HasSubstr("its last lease: micro-batches"));
  EXPECT_GT(job.ledger_sum(), 0);
}

TEST(Coordinator, ARankThatIsSilentFromTheStartIsNamedWithItsOpeningLease) {
  LocalJob job(2, 40, 4);
  job.settings.opened = true;
  job.settings.timeout = 1s;
  job.settings.hosts = {"alpha", "beta"};
  std::jthread lost([&] {
    data::Loader::Readers readers;
    readers.push_back(std::make_unique<testing::CountingReader>());
    data::Loader loader(std::move(readers), {40, {1, 1}}, 4, 2);
    job.open_as(1, loader);
  });
  std::jthread worker([&] { job.work_as(0, number); });
  const auto error = job.coordinate();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::unavailable);
  EXPECT_THAT(error->what(), HasSubstr("rank 1 on beta has been silent for 1 s (comm.timeout); its last "
                                       "lease: micro-batches 1 to 1"));
  EXPECT_EQ(job.ledger_sum(), 9);
}

/// Images of the first leases are read before there is a coordinator; what goes wrong with them is told when
/// there is one.
TEST(Coordinator, WhatFailsBeforeItStartsIsReported) {
  LocalJob job(2, 400, 4);
  job.settings.opened = true;
  job.settings.timeout = 1s;
  const auto right = job.settings.locations;
  job.settings.locations = [&](std::int64_t first, std::int64_t count) {
    auto locations = right(first, count);
    if (first == 4) ++locations.front().offset;
    return locations;
  };
  const auto error = job.run(number);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::internal);
  EXPECT_THAT(error->what(), HasSubstr("rank 1 on host: sample 4 came with the place of another"));
}

TEST(Coordinator, ASlowRankIsNotSilent) {
  LocalJob job(2, 8, 4);
  job.settings.timeout = 600ms;
  const auto error = job.run([](const data::Batch& batch) {
    std::this_thread::sleep_for(1800ms);  // three times the limit, in one micro-batch
    return number(batch);
  });
  EXPECT_FALSE(error);
}

/// A disk that takes longer than `comm.timeout`: nobody is lost, though nobody was listened to.
TEST(Coordinator, ASlowDiskIsNotASilentRank) {
  LocalJob job(3, 40, 4);
  job.settings.timeout = 600ms;
  job.disk.sync_time = 1400ms;
  const auto error = job.run([](const data::Batch& batch) {
    std::this_thread::sleep_for(30ms);
    return number(batch);
  });
  EXPECT_FALSE(error) << error->what();
  EXPECT_EQ(job.ledger_sum(), 10);
  EXPECT_EQ(job.failed_workers, 0);  // nor is the coordinator, which had to wait for it
}

/// Also by a rank that does not wait for it.
TEST(Coordinator, ItsOwnSilenceIsNoticed) {
  comm::LocalWorld world(2);
  const auto up = world.channel(1, 0);
  const auto down = world.channel(1, 1);
  std::atomic<int> told = 0;
  const auto start = std::chrono::steady_clock::now();
  try {
    idle_until_dismissed(*up, *down, {.timeout = 500ms, .coordinator_lost = [&](const Error&) { ++told; }});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::unavailable);
    EXPECT_THAT(error.what(), HasSubstr("the coordinator on rank 0 has been silent for 0.5 s"));
  }
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(took, 450ms);
  EXPECT_LT(took, 5s);
  EXPECT_EQ(told, 1);
}

TEST(Coordinator, TooManyBadSamplesEndTheJob) {
  LocalJob job(1, 40, 4);
  job.settings.timeout = 1s;
  job.settings.max_bad = 4;
  job.settings.sample_id = [](std::int64_t index) { return "image-" + std::to_string(index); };
  const auto error = job.run([](const data::Batch& batch) {
    return numbered_rows(batch.index, batch.first_sample, batch.samples, batch.index < 2 ? 2 : 1);
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::bad_data);
  EXPECT_THAT(error->what(), HasSubstr("8 samples are quarantined, data.max_bad allows 4 of 40; the last: "));
  EXPECT_THAT(error->what(),
              HasSubstr("or allow more (at this rate it will be 40): --set data.max_bad=100%"));
  EXPECT_THAT(error->what(), HasSubstr("image-7"));
}

}  // namespace
}  // namespace polyhead::run
