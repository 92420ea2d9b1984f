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

TEST(Device, OneThatIsTooOldIsNamed) {
  DeviceInfo gpu{"Tesla V100-SXM2-16GB", "GPU-1", "7.0", 0, 0, 13020};
  EXPECT_EQ(
      why_unsupported(gpu),
      "the GPU Tesla V100-SXM2-16GB (GPU-1) has compute capability 7.0, but LibTorch's kernels need 7.5 or "
      "later: use another GPU, or parallel.device: cpu");
  for (const char* capability : {"7.5", "8.0", "9.0", "10.0", "12.1"}) {
    gpu.compute_capability = capability;
    EXPECT_EQ(why_unsupported(gpu), "") << capability;
  }
  EXPECT_EQ(why_unsupported({"Tesla V100-SXM2-16GB", "GPU-1", "7.0", 0, 0, 12080}), "");
}

TEST(GpuDevice, DescribesItself) {
  if (device_count() == 0) GTEST_SKIP() << "no CUDA device";
  EXPECT_EQ(why_no_device(), "");
  const DeviceInfo info = query(0);
  EXPECT_FALSE(info.name.empty());
  EXPECT_THAT(info.uuid, ::testing::MatchesRegex("GPU-[0-9a-f-]+"));
  EXPECT_THAT(info.compute_capability, HasSubstr("."));
  EXPECT_GT(info.total_memory, 0U);
  EXPECT_EQ(why_unsupported(info), "");
  expect_refusal([] { query(device_count()); }, "this process may use");
}

}  // namespace
}  // namespace polyhead::device
