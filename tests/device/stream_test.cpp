#include "polyhead/device/stream.hpp"

#include <chrono>
#include <cstring>
#include <thread>

#include <gtest/gtest.h>

#include "polyhead/base/error.hpp"
#include "polyhead/device/cuda.hpp"

namespace polyhead::device {
namespace {

TEST(Stream, WithoutAGpuIsAnError) {
  if (device_count() > 0) GTEST_SKIP() << "there is a CUDA device";
  EXPECT_THROW(make_stream(), Error);
  EXPECT_THROW(make_event(), Error);
  EXPECT_THROW(allocate_device(16), Error);
  EXPECT_THROW(allocate_host(16), Error);
}

TEST(GpuStream, CopiesThereAndBack) {
  if (device_count() == 0) GTEST_SKIP() << "no CUDA device";
  constexpr std::size_t kSize = 1U << 20U;
  select(0);
  const Stream stream = make_stream();
  const Event event = make_event();
  const DeviceMemory device = allocate_device(kSize);
  const HostMemory from = allocate_host(kSize);
  const HostMemory to = allocate_host(kSize);
  std::memset(from.get(), 42, kSize);
  std::memset(to.get(), 0, kSize);
  copy_to_device(device.get(), from.get(), kSize, stream);
  copy_to_host(to.get(), device.get(), kSize, stream);
  record(event, stream);
  for (int i = 0; i < 10'000 && !passed(event); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ASSERT_TRUE(passed(event));
  EXPECT_EQ(std::memcmp(from.get(), to.get(), kSize), 0);
}

}  // namespace
}  // namespace polyhead::device
