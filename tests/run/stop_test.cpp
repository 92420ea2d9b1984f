/// Runs that are told to stop: what is under way is finished, nothing else is begun, nobody waits for
/// anybody.

#include <atomic>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "group_job.hpp"
#include "local_job.hpp"

namespace polyhead::run {
namespace {

using namespace testing;
using ::testing::HasSubstr;

constexpr std::int64_t kSamples = 2003;
constexpr std::int64_t kMicroBatches = (kSamples + kBatch - 1) / kBatch;

template <class T>
std::vector<T> values(const std::vector<std::byte>& bytes, std::uint64_t offset, std::int64_t count) {
  std::vector<T> values(static_cast<std::size_t>(count));
  std::memcpy(values.data(), bytes.data() + offset, values.size() * sizeof(T));
  return values;
}

std::function<void()> random_pauses(unsigned seed) {
  return [seed] {
    thread_local std::mt19937 dice(seed + std::hash<std::thread::id>{}(std::this_thread::get_id()));
    std::this_thread::sleep_for(std::chrono::microseconds(dice() % 600));
  };
}

/// Done micro-batches have the scores of `whole`, others none.
void expect_part_of(const GroupJob& job, const std::vector<std::byte>& whole) {
  const auto expected =
      values<std::int64_t>(whole, offsets_of().of("/fused/scores"), kSamples);  // two floats each
  const auto found = values<std::int64_t>(job.disk.bytes, offsets_of().of("/fused/scores"), kSamples);
  std::vector<std::int64_t> wanted(static_cast<std::size_t>(kSamples));
  for (const std::int64_t batch : job.done()) {
    for (std::int64_t n = batch * kBatch; n < std::min(kSamples, (batch + 1) * kBatch); ++n) {
      wanted[static_cast<std::size_t>(n)] = expected[static_cast<std::size_t>(n)];
    }
  }
  EXPECT_EQ(found, wanted);
}

using Table = std::tuple<int, int, config::Features>;
class StopTest : public ::testing::TestWithParam<Table> {};

TEST_P(StopTest, FinishesWhatIsUnderWayAndNothingElse) {
  const auto [data, heads, features] = GetParam();
  const Shape shape{{data, heads}, data * heads + 1, kSamples, 3, features};  // one rank too many
  const auto whole = run(shape);
  std::mt19937 dice(31);
  for (int trial = 0; trial < 4; ++trial) {
    GroupJob job(shape);
    job.opened = trial >= 2;
    job.pause = random_pauses(dice());
    const auto stop_at = static_cast<std::int64_t>(dice() % (kSamples / 2));
    std::atomic<std::int64_t> finished = 0;
    job.progress = [&](std::int64_t samples) { finished = samples; };
    const int asked_rank =
        trial % 2 == 0 ? -1 : static_cast<int>(dice() % static_cast<unsigned>(shape.ranks));
    const auto asked = [&](int rank) {
      if (rank != asked_rank || finished < stop_at) return StopRequest{};
      return StopRequest{Stop::soon, "SIGUSR1"};
    };
    job.asked = [&] { return asked(-1); };
    job.rank_asked = asked;
    // A lease or two hold all work of a group.
    const std::int64_t most = std::max<std::int64_t>(heads, kMicroBatches / data / 2);
    job.run({kMicroBatches, data, heads, most, [&] { return most; }});
    expect_part_of(job, whole);
    const auto done = static_cast<std::int64_t>(job.done().size());
    EXPECT_GE(done * kBatch, stop_at);
    if (asked_rank < 0) {
      EXPECT_LT(done, kMicroBatches);
      EXPECT_EQ(job.stopped_by, "SIGUSR1");
    }
    if (asked_rank >= 0 && done < kMicroBatches) {
      EXPECT_EQ(job.stopped_by, fmt::format("SIGUSR1 at rank {} on host", asked_rank));
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Grids, StopTest,
                         ::testing::Combine(::testing::Values(1, 2, 3), ::testing::Values(1, 2, 3),
                                            ::testing::Values(config::Features::exchange,
                                                              config::Features::local)));

/// One lease holds the whole job: a group must leave it, all ranks at the same step.
TEST(Stop, AGroupLeavesALargeLease) {
  for (const int heads : {1, 2, 3}) {
    const Shape shape{{1, heads}, heads, kSamples, 3, config::Features::exchange};
    GroupJob job(shape);
    job.pause = [] { std::this_thread::sleep_for(2ms); };
    job.asked = [] { return StopRequest{Stop::soon, "SIGTERM"}; };
    job.run({kMicroBatches, 1, heads, kMicroBatches, [] { return kMicroBatches; }});
    EXPECT_LT(static_cast<std::int64_t>(job.done().size()), kMicroBatches / 2) << heads;
  }
}

TEST(Stop, BeforeAnythingIsHandedOut) {
  for (const bool opened : {false, true}) {
    GroupJob job({{2, 2}, 5, kSamples, 3, config::Features::exchange});
    job.opened = opened;
    job.asked = [] { return StopRequest{Stop::soon, "SIGTERM"}; };
    job.pause = [] { std::this_thread::sleep_for(1ms); };
    job.run(guided({{2, 2}, 5, kSamples, 3, config::Features::exchange}));
    EXPECT_LE(job.done().size(), 8U);  // the first leases are small
  }
}

TEST(Stop, AtOnceWithWhatHasArrived) {
  LocalJob job(2, 400, 4);
  job.settings.timeout = 1s;
  job.settings.commit_interval = 1h;
  std::atomic<std::int64_t> finished = 0;
  job.settings.progress = [&](std::int64_t samples) { finished = samples; };
  job.settings.asked = [&] { return finished < 40 ? StopRequest{} : StopRequest{Stop::now, "SIGINT"}; };
  const auto error = job.run([](const data::Batch& batch) {
    std::this_thread::sleep_for(1ms);
    return numbered_rows(batch.index, batch.first_sample, batch.samples);
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::preempted);
  EXPECT_THAT(error->what(), HasSubstr("SIGINT"));
  EXPECT_GE(job.ledger_sum(), 10);
  EXPECT_LT(job.ledger_sum(), 100);
}

/// Who asks to stop may kill soon: finished rows do not wait for output.commit_interval.
TEST(Stop, CommitsSoon) {
  LocalJob job(2, 400, 4);
  job.settings.commit_interval = 1h;
  std::int64_t finished = 0;
  std::int64_t committed_early = 0;
  job.settings.progress = [&](std::int64_t samples) {
    finished = samples;
    committed_early = job.ledger_sum();
  };
  job.settings.asked = [&] { return finished < 40 ? StopRequest{} : StopRequest{Stop::soon, "SIGTERM"}; };
  const auto error = job.run_each([&](int rank) {
    return [rank](const data::Batch& batch) {
      std::this_thread::sleep_for(rank == 1 ? 1500ms : 1ms);  // under way when the others are done
      return numbered_rows(batch.index, batch.first_sample, batch.samples);
    };
  });
  ASSERT_FALSE(error);
  EXPECT_GE(committed_early, 10);
}

}  // namespace
}  // namespace polyhead::run
