#include "polyhead/run/coordinator.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "each_alone.hpp"
#include "memory_file.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/comm/local.hpp"
#include "polyhead/data/reader.hpp"
#include "polyhead/plan/micro_batches.hpp"
#include "polyhead/run/messages.hpp"
#include "polyhead/run/worker.hpp"

namespace polyhead::run {
namespace {

using namespace std::chrono_literals;
using testing::Compute;
using testing::Disk;
using ::testing::HasSubstr;
using testing::numbered_rows;

/// Samples without content: sample n's pixels are all n. Checks that each comes with its place.
class CountingReader final : public data::SampleReader {
 public:
  void read(std::int64_t first, std::span<const data::Location> locations, std::span<float> pixels,
            std::span<Reason> reasons) override {
    for (std::size_t i = 0; i < reasons.size(); ++i) {
      const auto sample = static_cast<std::uint64_t>(first) + i;
      EXPECT_EQ(locations[i], (data::Location{"/data/" + std::to_string(sample), sample, 1}));
      std::fill_n(pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, static_cast<float>(sample));
    }
  }
};

/// A job of `samples` samples over ranks that are threads; rank 0 also coordinates, as in the program.
class Job {
 public:
  Job(int ranks, std::int64_t samples, std::int64_t batch)
      : ranks_(ranks),
        batches_(samples, batch),
        world_(ranks),
        layout_(testing::small_layout(samples, batch)),
        writer_(std::make_unique<testing::MemoryFile>(disk), layout_, testing::small_offsets()) {
    settings.hosts.assign(static_cast<std::size_t>(ranks), "host");
    settings.grid = {ranks, 1};
    settings.commit_interval = 1ms;
    settings.timeout = 10s;
    settings.locations = [](std::int64_t first, std::int64_t count) {
      std::vector<data::Location> locations;
      for (std::int64_t n = first; n < first + count; ++n) {
        locations.push_back({"/data/" + std::to_string(n), static_cast<std::uint64_t>(n), 1});
      }
      return locations;
    };
  }

  /// The coordinator's outcome; workers run `compute`.
  std::optional<Error> run(const Compute& compute) {
    std::vector<std::jthread> workers;
    for (int rank = 0; rank < ranks_; ++rank)
      workers.emplace_back([this, rank, &compute] { work_as(rank, compute); });
    return coordinate();
  }

  std::optional<Error> coordinate() {
    const auto up = world_.channel(0, 0);
    const auto down = world_.channel(0, 1);
    try {
      Coordinator(*up, *down, plan::LeaseSchedule(batches_.count(), ranks_), writer_, batches_, settings)
          .run();
      return std::nullopt;
    } catch (const Error& error) {
      return error;
    }
  }

  void work_as(int rank, const Compute& compute) {
    const auto up = world_.channel(rank, 0);
    const auto down = world_.channel(rank, 1);
    data::Loader::Readers readers;
    for (int i = 0; i < 2; ++i) readers.push_back(std::make_unique<CountingReader>());
    data::Loader loader(std::move(readers), {batches_.samples(), {1, 1}}, batches_.size(), 2);
    try {
      testing::EachAlone alone(compute);
      work(*up, *down, loader, alone, {}, settings.timeout);
    } catch (const Error&) {
      ++failed_workers;
    }
  }

  [[nodiscard]] std::int32_t prediction(std::int64_t sample) const {
    std::int32_t value = 0;
    std::memcpy(&value, disk.bytes.data() + testing::small_offsets().fused_prediction + sample * 4, 4);
    return value;
  }
  [[nodiscard]] std::int64_t ledger_sum() const {
    std::int64_t sum = 0;
    for (std::int64_t b = 0; b < batches_.count(); ++b) {
      const std::uint64_t at = testing::small_offsets().ledger + static_cast<std::uint64_t>(b);
      if (at < disk.bytes.size()) sum += static_cast<std::int64_t>(disk.bytes[at]);
    }
    return sum;
  }

  Disk disk;
  Coordinator::Settings settings;
  std::atomic<int> failed_workers = 0;

 private:
  int ranks_;
  plan::MicroBatches batches_;

 public:
  comm::LocalWorld world_;

 private:
  store::Layout layout_;
  store::Writer writer_;
};

store::Rows number(const data::Batch& batch) {
  EXPECT_EQ(batch.pixels.front(), static_cast<float>(batch.first_sample));
  return numbered_rows(batch.index, batch.first_sample, batch.samples);
}

class CoordinatorTest : public ::testing::TestWithParam<std::tuple<int, std::int64_t>> {};

TEST_P(CoordinatorTest, EverySampleIsWrittenOnceAndCommitted) {
  const auto [ranks, samples] = GetParam();
  Job job(ranks, samples, 4);
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
                         ::testing::Combine(::testing::Values(1, 2, 3, 8),
                                            ::testing::Values(1, 4, 37, 1000)));

TEST(Coordinator, AWorkersFailureEndsTheJobAndKeepsWhatIsDone) {
  Job job(2, 400, 4);
  job.settings.timeout = 200ms;
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
  Job job(1, 40, 4);
  job.settings.timeout = 200ms;
  const auto error = job.run([](const data::Batch& batch) {
    return numbered_rows(batch.index, batch.first_sample, batch.samples + (batch.index == 5 ? 1 : 0));
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::internal);
}

TEST(Coordinator, WriteErrorsAreReported) {
  Job job(1, 40, 4);
  job.settings.timeout = 200ms;
  job.disk.full = true;
  const auto error = job.run(number);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::io_error);
  EXPECT_THAT(error->what(), HasSubstr("no space left"));
  EXPECT_EQ(job.ledger_sum(), 0);
}

TEST(Coordinator, ASilentRankIsNamed) {
  Job job(2, 40, 4);
  job.settings.timeout = 200ms;
  job.settings.hosts = {"alpha", "beta"};
  // Rank 1 takes a lease and is never heard of again; rank 0 works.
  job.world_.channel(1, 0)->send(0, static_cast<int>(ToCoordinator::request), {});
  std::jthread worker([&] { job.work_as(0, number); });
  const auto error = job.coordinate();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::unavailable);
  EXPECT_THAT(error->what(), HasSubstr("rank 1 on beta has been silent"));
  EXPECT_THAT(error->what(), HasSubstr("its last lease: micro-batches"));
  EXPECT_GT(job.ledger_sum(), 0);
}

TEST(Coordinator, ASlowRankIsNotSilent) {
  Job job(2, 8, 4);
  job.settings.timeout = 300ms;
  const auto error = job.run([](const data::Batch& batch) {
    std::this_thread::sleep_for(900ms);  // three times the limit, in one micro-batch
    return number(batch);
  });
  EXPECT_FALSE(error);
}

/// A disk that takes longer than `comm.timeout`: nobody is lost, though nobody was listened to.
TEST(Coordinator, ASlowDiskIsNotASilentRank) {
  Job job(3, 40, 4);
  job.settings.timeout = 300ms;
  job.disk.sync_time = 700ms;
  const auto error = job.run([](const data::Batch& batch) {
    std::this_thread::sleep_for(30ms);
    return number(batch);
  });
  EXPECT_FALSE(error) << error->what();
  EXPECT_EQ(job.ledger_sum(), 10);
}

TEST(Coordinator, TooManyBadSamplesEndTheJob) {
  Job job(1, 40, 4);
  job.settings.timeout = 200ms;
  job.settings.max_bad = 4;
  job.settings.sample_id = [](std::int64_t index) { return "image-" + std::to_string(index); };
  const auto error = job.run([](const data::Batch& batch) {
    return numbered_rows(batch.index, batch.first_sample, batch.samples, batch.index < 2 ? 2 : 1);
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::bad_data);
  EXPECT_THAT(error->what(), HasSubstr("5 samples are quarantined, data.max_bad allows 4"));
  EXPECT_THAT(error->what(), HasSubstr("image-4"));
}

}  // namespace
}  // namespace polyhead::run
