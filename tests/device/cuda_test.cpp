#include "polyhead/device/cuda.hpp"

#include <functional>

#include <gmock/gmock.h>

#include "polyhead/base/error.hpp"

namespace polyhead::device {
namespace {

using ::testing::HasSubstr;

void expect_refusal(const std::function<void()>& call, const std::string& message) {
  try {
    call();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_THAT(error.what(), HasSubstr(message));
  }
}

TEST(Device, OneThatIsNotThereIsRefusedWithTheReason) {
  const bool none = device_count() == 0;
  EXPECT_EQ(why_no_device().empty(), !none);
  const std::string message =
      none ? "no GPU can be used: " + why_no_device() : std::string("this process may use");
  expect_refusal([] { query(device_count()); }, message);
  expect_refusal([] { select(device_count()); }, message);
  if (none) expect_refusal([] { load_torch_cuda(); }, message);
}

TEST(Device, AsksTheDriverForItsVersion) {
  EXPECT_FALSE(driver_version().empty());
}

TEST(GpuDevice, DescribesItself) {
  if (device_count() == 0) GTEST_SKIP() << "no CUDA device";
  EXPECT_EQ(why_no_device(), "");
  const DeviceInfo info = query(0);
  EXPECT_FALSE(info.name.empty());
  EXPECT_THAT(info.uuid, ::testing::MatchesRegex("GPU-[0-9a-f-]+"));
  EXPECT_THAT(info.compute_capability, HasSubstr("."));
  EXPECT_GT(info.total_memory, 0U);
  EXPECT_LE(info.free_memory, info.total_memory);
  expect_refusal([] { query(device_count()); }, "this process may use");
}

}  // namespace
}  // namespace polyhead::device
