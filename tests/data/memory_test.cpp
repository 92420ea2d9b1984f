#include "polyhead/data/memory.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <malloc.h>

#include "../support.hpp"
#include "data/encoded/encoded_reader.hpp"
#include "polyhead/image/buffer.hpp"
#include "polyhead/image/large_turn.hpp"
#include "samples.hpp"

/// Where a sanitizer has taken the allocator's place.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the sanitizers call it so
extern "C" __attribute__((weak)) std::size_t __sanitizer_get_current_allocated_bytes();

namespace polyhead::data {
namespace {

using polyhead::testing::TemporaryFolder;
using ::testing::Each;
namespace fs = std::filesystem;

constexpr std::int64_t kMega = 1'000'000;

/// Bytes that are allocated in the whole process.
std::int64_t allocated() {
  if (__sanitizer_get_current_allocated_bytes != nullptr) {
    return static_cast<std::int64_t>(__sanitizer_get_current_allocated_bytes());
  }
  const struct mallinfo2 info = mallinfo2();
  return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
}

/// The most that `work` ever has allocated. It is done again and again until that was at least `expected`:
/// the thread that looks may come too late.
std::int64_t peak_of(const std::function<void()>& work, std::int64_t expected) {
  const std::int64_t before = allocated();
  std::atomic<std::int64_t> peak = 0;
  std::atomic<bool> done = false;
  std::thread watcher([&] {
    while (!done) peak = std::max(peak.load(), allocated() - before);
  });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  do work();
  while (peak < expected && std::chrono::steady_clock::now() < end);
  done = true;
  watcher.join();
  return peak;
}

class LargeImages : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    made_ =
        polyhead::testing::run_python("data/make_large.py", fmt::format("'{}'", folder_->path().string()));
  }
  static void TearDownTestSuite() { folder_.reset(); }
  void SetUp() override { ASSERT_EQ(made_, 0); }

  /// Limits that `name` just meets.
  static config::Data limits_of(const std::string& name) {
    config::Data config;
    config.path = folder_->path();
    config.preprocess.resize = 256;
    config.preprocess.crop = 224;
    config.max_pixels = 4'000'000;
    config.max_file_size = fs::file_size(*folder_ / name);
    return config;
  }
  static void read(SampleReader& reader, const std::string& name) {
    std::vector<std::uint8_t> pixels(std::size_t{3} * 224 * 224);
    std::vector<Reason> reasons(1, Reason::corrupt);
    reader.read_bytes(0, std::vector{Location{(*folder_ / name).string()}}, pixels, reasons);
    EXPECT_THAT(reasons, Each(Reason::none)) << name;
  }
  /// Of a new reader that reads this one file.
  static std::int64_t peak_of_reading(const std::string& name, std::int64_t expected) {
    const auto config = limits_of(name);
    return peak_of([&] { read(*open_encoded_reader(config, {1, {224, 224}}), name); }, expected);
  }

 private:
  static inline std::unique_ptr<TemporaryFolder> folder_;
  static inline int made_ = -1;
};

std::int64_t bound(const config::Data& config) {
  return loader_memory(image::encoded_memory(config), 1, 0, 0);
}

/// 4 megapixels. What each must take at least is known: coefficients of 2 bytes in four components, rows of 4
/// bytes a pixel that wait for the last pass, two rows of 8 bytes a pixel.
TEST_F(LargeImages, StayWithinTheBound) {
  for (const auto& [name, expected] :
       {std::pair{"progressive.jpg", 32 * kMega}, std::pair{"interlaced.png", 15 * kMega},
        std::pair{"row.png", 80 * kMega}, std::pair{"baseline.jpg", 0 * kMega}}) {
    const std::int64_t peak = peak_of_reading(name, expected);
    EXPECT_GE(peak, expected) << name;
    EXPECT_LE(peak, bound(limits_of(name))) << name;
  }
}

/// The bound is no fantasy: the worst of the images takes more than half of it.
TEST_F(LargeImages, ComeNearTheBound) {
  const std::int64_t most = bound(limits_of("row.png"));
  EXPECT_GT(peak_of_reading("row.png", most / 2), most / 2);
}

TEST_F(LargeImages, LeaveNoLargeBuffersBehind) {
  config::Data config = limits_of("progressive.jpg");
  ASSERT_GT(config.max_file_size, image::kKeptBuffer / 4);
  const auto reader = open_encoded_reader(config, {1, {224, 224}});
  const std::int64_t before = allocated();
  for (const char* name : {"progressive.jpg", "interlaced.png", "row.png"}) read(*reader, name);
  EXPECT_LT(allocated() - before, 5 * static_cast<std::int64_t>(image::kKeptBuffer));
}

/// While one thread has a large sample, another one waits with its own, but not with small ones.
TEST(LargeTurn, IsTakenByOneThreadAtATime) {
  image::LargeTurn mine;
  mine.take(image::kOrdinarySample + 1);
  mine.take(image::kOrdinarySample + 1);
  image::LargeTurn again;
  again.take(image::kOrdinarySample + 1);  // the same thread: for the decoder, beside the file
  std::atomic<int> passed = 0;
  std::thread other([&] {
    image::LargeTurn turn;
    turn.take(image::kOrdinarySample);
    passed = 1;
    passed.notify_all();
    turn.take(image::kOrdinarySample + 1);
    passed = 2;
  });
  passed.wait(0);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // time in which it could go on
  EXPECT_EQ(passed, 1);
  again.end();
  mine.end();
  other.join();
  EXPECT_EQ(passed, 2);
}

config::Data default_limits() {
  config::Data config;
  config.preprocess.resize = 256;
  config.preprocess.crop = 224;
  return config;
}

TEST(EncodedMemory, GrowsWithTheLimitsOnly) {
  const image::ReadingMemory usual = image::encoded_memory(default_limits());
  EXPECT_GT(usual.worker, 128 << 20);  // a file and an image of 64 MiB
  EXPECT_LT(usual.worker, 192 << 20);
  EXPECT_EQ(usual.worker - usual.ordinary, 128 << 20);
  // 8 bytes for each of 179 million pixels and a file of 256 MiB, less what each thread has anyway.
  EXPECT_GT(usual.large_sample, 178'956'970LL * 8 + (128LL << 20));
  EXPECT_LT(usual.large_sample, 3LL << 30);

  config::Data config = default_limits();
  config.max_pixels = 1'000'000;
  config.max_file_size = 1 << 20;
  const image::ReadingMemory small = image::encoded_memory(config);
  EXPECT_EQ(small.large_sample, 0);
  EXPECT_LT(small.worker, 96 << 20);
  config.max_file_size += 5000;
  EXPECT_EQ(image::encoded_memory(config).worker - small.worker, 5000);
}

TEST(LoaderMemory, AddsUp) {
  EXPECT_EQ(loader_memory({20, 100, 7}, 4, 3, 1000), 3000 + 400 + 7);
}

TEST(ArrayMemory, CountsWhatIsReadAtOnce) {
  const ImageShape side{1000, 1000};
  const image::ReadingMemory memory = array_memory({3 * kMega, 0, side, 1}, {224, 224});
  EXPECT_GT(memory.worker, 3 * kMega + 3LL * 224 * 1000);
  EXPECT_LT(memory.worker, 8 * kMega);
  EXPECT_EQ(memory.ordinary, memory.worker);
  EXPECT_EQ(memory.large_sample, 0);
  EXPECT_EQ(array_memory({3 * kMega, 64 << 20, side, 1}, {224, 224}).worker - memory.worker, 64 << 20);
}

}  // namespace
}  // namespace polyhead::data
