#include "polyhead/data/loader.hpp"

#include <atomic>
#include <chrono>
#include <fstream>
#include <limits>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../support.hpp"
#include "polyhead/data/dataset.hpp"
#include "polyhead/data/reader.hpp"
#include "polyhead/h5/h5.hpp"

namespace polyhead::data {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

/// Images of 1x2, every value the sample's number plus one. Counts what is asked of its readers.
struct Numbers {
  explicit Numbers(std::int64_t count, ImageShape image = {1, 2}) : shape{count, image} {}

  DatasetShape shape;
  std::int64_t bad = -1;
  std::int64_t grain = 1 << 20;
  std::atomic<std::int64_t> reads = 0;
  std::mutex mutex;
  std::set<const float*> buffers;  ///< touched by the loader's threads; looked at when they are gone
};

/// Each thread's own time: every read takes a second.
thread_local double own_seconds = 0;

class NumbersReader : public SampleReader {
 public:
  explicit NumbersReader(Numbers& numbers) : numbers_(numbers) {}
  [[nodiscard]] std::int64_t grain() const override { return numbers_.grain; }

  void read(std::int64_t first, std::span<const Location> locations, std::span<float> pixels,
            std::span<Reason> reasons) override {
    {
      const std::lock_guard lock(numbers_.mutex);
      numbers_.buffers.insert(pixels.data());
    }
    const std::int64_t bad = numbers_.bad;
    if (first <= bad && bad < first + static_cast<std::int64_t>(reasons.size())) {
      throw Error(ExitCode::io_error, "sample " + std::to_string(bad) + " cannot be read");
    }
    if (first == 0) reasons[0] = Reason::score_not_finite;
    const std::size_t each = pixels.size() / reasons.size();
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      pixels[i] = static_cast<float>(first + static_cast<std::int64_t>(i / each) + 1);
    }
    for (std::size_t i = 0; i < locations.size(); ++i) {
      EXPECT_EQ(locations[i].offset, static_cast<std::uint64_t>(first) + i);
    }
    own_seconds += 1;
    ++numbers_.reads;
    numbers_.reads.notify_all();
  }

 private:
  Numbers& numbers_;
};

Loader make_loader(Numbers& numbers, std::int64_t batch_size, std::int64_t depth, int workers = 1) {
  Loader::Readers readers;
  for (int i = 0; i < workers; ++i) readers.push_back(std::make_unique<NumbersReader>(numbers));
  return {std::move(readers), numbers.shape, batch_size, depth, nullptr, [] { return own_seconds; }};
}

void wait_for_reads(const Numbers& dataset, std::int64_t count) {
  for (std::int64_t seen = dataset.reads; seen < count; seen = dataset.reads) dataset.reads.wait(seen);
}

TEST(Loader, DeliversInTheOrderAskedFor) {
  Numbers dataset(10);
  Loader loader = make_loader(dataset, 3, 2);
  loader.request(2, 2);
  loader.request(0, 1);
  for (const std::int64_t index : {2, 3, 0}) {
    const Batch batch = loader.next();
    EXPECT_EQ(batch.index, index);
    EXPECT_EQ(batch.first_sample, 3 * index);
    EXPECT_EQ(batch.pixels[0], static_cast<float>(3 * index + 1));
    EXPECT_EQ(batch.pixels.size(), 18U);
  }
}

TEST(Loader, PadsTheLastBatchWithZeros) {
  Numbers dataset(10);
  Loader loader = make_loader(dataset, 4, 1);
  loader.request(0, 2);
  for (int i = 0; i < 2; ++i) loader.recycle(loader.next());  // buffers full of other values
  loader.request(2, 1);
  const Batch batch = loader.next();
  EXPECT_EQ(batch.samples, 2);
  EXPECT_EQ(batch.reasons.size(), 2U);
  EXPECT_THAT(std::span(batch.pixels).first(12), ElementsAre(9, 9, 9, 9, 9, 9, 10, 10, 10, 10, 10, 10));
  EXPECT_THAT(std::span(batch.pixels).subspan(12), Each(0.0F));
  EXPECT_EQ(batch.pixels.size(), 24U);
}

TEST(Loader, AlignsEveryBatch) {
  Numbers dataset(10);
  Loader loader = make_loader(dataset, 3, 2);
  loader.request(0, 4);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(loader.next().pixels.data()) % kAlignment, 0U);
  }
}

TEST(Loader, KeepsReasonsToTheirBatch) {
  Numbers dataset(6);
  Loader loader = make_loader(dataset, 3, 1);
  loader.request(0, 2);
  Batch batch = loader.next();
  EXPECT_THAT(batch.reasons, ElementsAre(Reason::score_not_finite, Reason::none, Reason::none));
  loader.recycle(std::move(batch));
  EXPECT_THAT(loader.next().reasons, Each(Reason::none));
  loader.request(1, 1);
  EXPECT_THAT(loader.next().reasons, Each(Reason::none));
}

TEST(Loader, ReadsNoFurtherAheadThanAllowed) {
  Numbers dataset(1000);
  Loader loader = make_loader(dataset, 1, 3);
  loader.request(0, 1000);
  for (std::int64_t taken = 0; taken < 100; ++taken) {
    EXPECT_LE(dataset.reads, taken + 3);
    wait_for_reads(dataset, taken + 3);
    if (taken % 25 == 0) std::this_thread::sleep_for(2ms);  // time in which it could read too far
    EXPECT_EQ(dataset.reads, taken + 3);
    static_cast<void>(loader.next());
  }
}

TEST(Loader, ReusesBuffers) {
  Numbers dataset(1000);
  {
    Loader loader = make_loader(dataset, 1, 3);
    for (int round = 0; round < 5; ++round) {
      loader.request(0, 200);
      for (int i = 0; i < 200; ++i) loader.recycle(loader.next());
    }
  }
  EXPECT_LE(dataset.buffers.size(), 4U);  // three ahead and one with the consumer
}

TEST(Loader, DropsForeignBuffers) {
  Numbers dataset(10);
  Loader loader = make_loader(dataset, 3, 2);
  loader.recycle(Batch{});
  loader.request(0, 1);
  EXPECT_EQ(loader.next().pixels.size(), 18U);
}

TEST(Loader, DeliversGoodBatchesBeforeTheError) {
  Numbers dataset(20);
  dataset.bad = 8;
  Loader loader = make_loader(dataset, 3, 4);
  loader.request(0, 7);
  EXPECT_EQ(loader.next().index, 0);
  EXPECT_EQ(loader.next().index, 1);
  for (int again = 0; again < 2; ++again) {
    const auto [code, text] = error_of([&] { return loader.next(); });
    EXPECT_EQ(code, ExitCode::io_error);
    EXPECT_EQ(text, "sample 8 cannot be read");
  }
}

TEST(Loader, RefusesToWaitForNothing) {
  Numbers dataset(3);
  Loader loader = make_loader(dataset, 3, 2);
  const auto expect_internal = [&] {
    const auto [code, text] = error_of([&] { return loader.next(); });
    EXPECT_EQ(code, ExitCode::internal);
    EXPECT_THAT(text, HasSubstr("none is asked for"));
  };
  expect_internal();
  loader.request(0, 0);
  expect_internal();
  loader.request(0, 1);
  static_cast<void>(loader.next());
  expect_internal();
}

TEST(Loader, RefusesWhatIsNotThere) {
  Numbers dataset(10);
  Loader loader = make_loader(dataset, 3, 2);
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  for (const auto& [first, count] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {0, 5}, {4, 1}, {-1, 1}, {0, -1}, {3, kMax}, {kMax, 1}}) {
    const auto [code, text] =
        error_of([&, first = first, count = count] { return loader.request(first, count), 0; });
    EXPECT_EQ(code, ExitCode::internal);
    EXPECT_THAT(text, AllOf(HasSubstr(fmt::format("{} micro-batches from {} asked for", count, first)),
                            HasSubstr("there are 4")));
  }
  for (const auto& [size, depth] : {std::pair{0, 1}, std::pair{1, 0}}) {
    EXPECT_EQ(
        error_of([&, size = size, depth = depth] { return make_loader(dataset, size, depth), 0; }).first,
        ExitCode::internal);
  }
  EXPECT_EQ(error_of([&] { return make_loader(dataset, 1, 1, 0), 0; }).first, ExitCode::internal);
  const auto [code, text] = error_of([&] { return loader.request(3, 1, std::vector<Location>(2)), 0; });
  EXPECT_EQ(code, ExitCode::internal);
  EXPECT_THAT(text, HasSubstr("2 locations given for 1 samples"));
}

TEST(Loader, SaysThatABatchIsTooLarge) {
  Numbers dataset(10, {1 << 15, 1 << 15});
  Loader loader = make_loader(dataset, std::int64_t{1} << 30U, 2);
  loader.request(0, 1);
  const auto [code, text] = error_of([&] { return loader.next(); });
  EXPECT_EQ(code, ExitCode::config);
  EXPECT_THAT(text, AllOf(HasSubstr("1073741824 images"), HasSubstr("parallel.batch")));
}

/// Time that passes only when somebody says so. Knows when the consumer has looked at it.
class SlowTime {
 public:
  double now() {
    const double value = seconds_;  // before the reader may go on
    if (std::this_thread::get_id() == consumer_) {
      asked_ = true;
      asked_.notify_all();
    }
    return value;
  }
  void pass(double seconds) { seconds_ = seconds_ + seconds; }
  void await_the_consumer() const { asked_.wait(false); }

 private:
  const std::thread::id consumer_ = std::this_thread::get_id();
  std::atomic<double> seconds_ = 0;
  std::atomic<bool> asked_ = false;
};

/// Takes 5 seconds for the first sample, once the consumer waits for it, and 2 for each other one.
class SlowReader : public SampleReader {
 public:
  explicit SlowReader(SlowTime& time) : time_(time) {}
  void read(std::int64_t first, std::span<const Location> /*locations*/, std::span<float> /*pixels*/,
            std::span<Reason> /*reasons*/) override {
    if (first == 0) time_.await_the_consumer();
    time_.pass(first == 0 ? 5 : 2);
  }

 private:
  SlowTime& time_;
};

TEST(Loader, CountsTheTimeWaited) {
  SlowTime time;
  Loader::Readers readers;
  readers.push_back(std::make_unique<SlowReader>(time));
  Loader loader(std::move(readers), {3, {1, 2}}, 1, 2, nullptr, [&] { return time.now(); });
  EXPECT_EQ(loader.figures().seconds_waited, 0.0);
  loader.request(0, 1);
  static_cast<void>(loader.next());
  EXPECT_EQ(loader.figures().seconds_waited, 5.0);
  EXPECT_EQ(loader.figures().seconds_reading, 5.0);
  // What is there when it is asked for costs nothing.
  loader.request(1, 2);
  while (loader.figures().seconds_reading < 9.0) std::this_thread::yield();
  static_cast<void>(loader.next());
  static_cast<void>(loader.next());
  EXPECT_EQ(loader.figures().seconds_waited, 5.0);
  EXPECT_EQ(loader.figures().seconds_reading, 9.0);
}

TEST(Loader, StopsAtAnyMoment) {
  std::minstd_rand random(11);
  const auto up_to = [&](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
  for (int round = 0; round < 300; ++round) {
    Numbers dataset(500);
    if (round % 3 == 0) dataset.bad = up_to(499);
    if (round % 2 == 0) dataset.grain = 1;
    Loader loader = make_loader(dataset, 1 + up_to(2), 1 + up_to(4), 1 + up_to(3));
    if (round % 5 != 0) loader.request(0, 1 + up_to(150));
    try {
      for (int taken = up_to(60); round % 5 != 0 && taken > 0; --taken) loader.recycle(loader.next());
    } catch (const Error&) {  // the bad sample, or more taken than asked for
    }
    if (round % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(up_to(200)));
  }
}

TEST(Loader, DeliversManySmallBatches) {
  Numbers dataset(20'000);
  Loader loader = make_loader(dataset, 1, 8);
  for (std::int64_t first = 0; first < 20'000; first += 100) loader.request(first, 100);
  for (std::int64_t index = 0; index < 20'000; ++index) {
    Batch batch = loader.next();
    ASSERT_EQ(batch.index, index);
    ASSERT_THAT(batch.pixels, Each(static_cast<float>(index + 1)));
    loader.recycle(std::move(batch));
  }
}

/// Several threads, small pieces, lease after lease: the order and the content must not depend on them.
TEST(Loader, ManyThreadsShareABatch) {
  for (const auto& [workers, grain] : {std::pair{2, 1}, std::pair{4, 1}, std::pair{3, 2}, std::pair{4, 5}}) {
    Numbers dataset(1001);
    dataset.grain = grain;
    Loader loader = make_loader(dataset, 8, 3, workers);
    for (std::int64_t first = 0; first < 126; first += 7) {
      std::vector<Location> locations;
      for (std::int64_t n = first * 8; n < std::min<std::int64_t>(1001, (first + 7) * 8); ++n) {
        locations.push_back({"x", static_cast<std::uint64_t>(n), 1});
      }
      loader.request(first, 7, std::move(locations));
    }
    for (std::int64_t index = 0; index < 126; ++index) {
      Batch batch = loader.next();
      ASSERT_EQ(batch.index, index);
      for (std::int64_t n = 0; n < 8; ++n) {
        const auto expected = n < batch.samples ? static_cast<float>(index * 8 + n + 1) : 0.0F;
        for (std::size_t i = 0; i < 6; ++i)
          ASSERT_EQ(batch.pixels[static_cast<std::size_t>(n) * 6 + i], expected);
      }
      loader.recycle(std::move(batch));
    }
    EXPECT_EQ(loader.figures().seconds_reading, static_cast<double>(dataset.reads));
    EXPECT_EQ(loader.figures().seconds_waited, 0.0);  // the consumer's own time stands still
  }
}

/// Gives each sample's number in its low byte.
class BytesReader : public SampleReader {
 public:
  void read(std::int64_t /*first*/, std::span<const Location> /*locations*/, std::span<float> /*pixels*/,
            std::span<Reason> /*reasons*/) override {
    FAIL() << "bytes were asked for";
  }
  [[nodiscard]] bool gives_bytes() const override { return true; }
  void read_bytes(std::int64_t first, std::span<const Location> /*locations*/, std::span<std::uint8_t> pixels,
                  std::span<Reason> reasons) override {
    EXPECT_EQ(reasons.size(), 1U);
    EXPECT_GT(::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())), 0)
        << "the thread that feeds the GPU waits";
    std::ranges::fill(pixels, static_cast<std::uint8_t>(first + 1));
  }
};

TEST(Loader, DeliversBytesInTheMemoryGiven) {
  std::pmr::monotonic_buffer_resource memory;  // never reuses what is given back
  Loader::Readers readers;
  for (int i = 0; i < 2; ++i) readers.push_back(std::make_unique<BytesReader>());
  Loader loader(std::move(readers), {5, {1, 2}}, 3, 2, &memory);
  loader.request(0, 2);
  Batch batch = loader.next();
  EXPECT_TRUE(batch.pixels.empty());
  EXPECT_EQ(batch.bytes.get_allocator().resource(), &memory);
  EXPECT_THAT(std::span(batch.bytes), ElementsAre(1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3));
  loader.recycle(std::move(batch));
  const Batch last = loader.next();
  EXPECT_EQ(last.bytes.get_allocator().resource(), &memory);
  EXPECT_THAT(std::span(last.bytes), ElementsAre(4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 0, 0, 0, 0, 0, 0));
}

/// Memory of a GPU that does not answer.
class NoMemory : public std::pmr::memory_resource {
  void* do_allocate(std::size_t /*bytes*/, std::size_t /*alignment*/) override {
    throw Error(ExitCode::unavailable, "the GPU is busy");
  }
  void do_deallocate(void* /*memory*/, std::size_t /*bytes*/, std::size_t /*alignment*/) override {}
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }
};

TEST(Loader, ABusyGpuIsNoLackOfMemory) {
  NoMemory memory;
  Loader::Readers readers;
  readers.push_back(std::make_unique<BytesReader>());
  Loader loader(std::move(readers), {5, {1, 2}}, 3, 2, &memory);
  loader.request(0, 2);
  const auto [code, text] = polyhead::testing::error_of([&] { return loader.next(); });
  EXPECT_EQ(code, ExitCode::unavailable);
  EXPECT_EQ(text, "the GPU is busy");
}

TEST(Loader, AnErrorOfOneThreadStopsAll) {
  Numbers dataset(100'000);
  dataset.grain = 1;
  dataset.bad = 50;
  Loader loader = make_loader(dataset, 4, 2, 4);
  loader.request(0, 25'000);
  const auto take_all = [&] {
    for (int i = 0; i < 25'000; ++i) loader.recycle(loader.next());
    return 0;
  };
  EXPECT_EQ(error_of(take_all).second, "sample 50 cannot be read");
  EXPECT_LT(dataset.reads, 100);
}

/// KiB of anonymous memory.
std::int64_t anonymous_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t value = 0;
    if (word == "RssAnon:" && status >> value) return value;
  }
  ADD_FAILURE() << "no RssAnon";
  return 0;
}

TEST(Loader, MemoryDoesNotGrowWithTheFile) {
  const TemporaryFolder folder;
  config::Data config;
  config.format = config::DataFormat::hdf5;
  config.path = folder / "large.h5";
  config.preprocess.crop = 32;
  h5::File file = h5::File::create(config.path);
  static_cast<void>(file.create_dataset("images", h5::Type::u8, {1366, 1024, 1024, 3}));  // 4 GiB, sparse
  file.close();
  const auto dataset = open(config, folder / "index");
  const DatasetShape shape{dataset->size(), dataset->image_shape()};
  Loader::Readers readers;
  readers.push_back(open_reader(config, shape));
  Loader loader(std::move(readers), shape, 16, 4);
  const std::int64_t before = anonymous_memory();
  loader.request(0, 12);
  for (int i = 0; i < 12; ++i) {
    loader.recycle(loader.next());
    EXPECT_LT(anonymous_memory() - before, 128 << 10);  // KiB, of 576 MiB that are read
  }
}

TEST(ReadAheadDepth, FitsTheBytesButHoldsTwo) {
  EXPECT_EQ(read_ahead_depth(std::uint64_t{64} << 20U, 32, std::int64_t{12} * 32 * 32), 170);
  EXPECT_EQ(read_ahead_depth(std::uint64_t{64} << 20U, 32, std::int64_t{12} * 224 * 224), 3);
  EXPECT_EQ(read_ahead_depth(0, 32, std::int64_t{12} * 224 * 224), 2);
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(read_ahead_depth(std::uint64_t{64} << 20U, kMax, kMax), 2);
}

}  // namespace
}  // namespace polyhead::data
