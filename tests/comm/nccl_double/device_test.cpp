#include <cstdlib>
#include <map>
#include <string>

#include <gmock/gmock.h>

#include "polyhead/device/cuda.hpp"

namespace polyhead::device {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Numbers of cudaError_t, whose header tests do not see.
constexpr const char* kInsufficientDriver = "35";
constexpr const char* kNoDevice = "100";
constexpr const char* kUnknown = "999";

/// Variables that are as they were when the test ends.
class Environment {
 public:
  ~Environment() {
    for (const auto& [name, value] : before_) {
      if (value.empty()) unsetenv(name.c_str());
      if (!value.empty()) setenv(name.c_str(), value.c_str(), 1);
    }
  }
  void set(const std::string& name, const char* value) {
    const char* before = std::getenv(name.c_str());
    before_.try_emplace(name, before != nullptr ? before : "");
    setenv(name.c_str(), value, 1);
  }

 private:
  std::map<std::string, std::string> before_;
};

class NoGpu : public ::testing::Test {
 protected:
  NoGpu() { environment_.set("POLYHEAD_NCCL_DOUBLE_GPUS", "0"); }

  std::string why(const char* count_error, const char* driver, const char* visible = nullptr) {
    environment_.set("POLYHEAD_NCCL_DOUBLE_COUNT_ERROR", count_error);
    environment_.set("POLYHEAD_NCCL_DOUBLE_DRIVER", driver);
    environment_.set("CUDA_VISIBLE_DEVICES", "");
    if (visible == nullptr) unsetenv("CUDA_VISIBLE_DEVICES");
    if (visible != nullptr) setenv("CUDA_VISIBLE_DEVICES", visible, 1);
    EXPECT_EQ(device_count(), 0);
    return why_no_device();
  }

  Environment environment_;
};

TEST_F(NoGpu, OnlyAnInsufficientDriverIsBlamed) {
  EXPECT_THAT(why(kInsufficientDriver, "12080"),
              HasSubstr("driver supports CUDA 12.8, but LibTorch was built for "));
  EXPECT_THAT(why(kInsufficientDriver, "12080"), HasSubstr("update the driver"));
  // 13.0 runs what was built for 13.2.
  EXPECT_THAT(why(kNoDevice, "13000"), Not(HasSubstr("update")));
}

TEST_F(NoGpu, NoDriver) {
  EXPECT_EQ(why(kInsufficientDriver, "0"), "no NVIDIA driver is installed");
  EXPECT_EQ(why(kNoDevice, "0"), "no NVIDIA driver is installed");
}

TEST_F(NoGpu, NoneIsVisible) {
  EXPECT_EQ(why(kNoDevice, "13000", ""), "no GPU is visible to this process: CUDA_VISIBLE_DEVICES is \"\"");
  EXPECT_EQ(why(kNoDevice, "13000", "7"), "no GPU is visible to this process: CUDA_VISIBLE_DEVICES is \"7\"");
  EXPECT_THAT(why(kNoDevice, "13000"), HasSubstr("CUDA_VISIBLE_DEVICES is not set"));
}

TEST_F(NoGpu, OtherErrorsSpeakForThemselves) {
  EXPECT_THAT(why(kUnknown, "13000"), HasSubstr("cudaGetDeviceCount: CUDA error 999"));
}

TEST(Capability, IsWhatTheGpuSays) {
  Environment environment;
  environment.set("POLYHEAD_NCCL_DOUBLE_GPUS", "1");
  environment.set("POLYHEAD_NCCL_DOUBLE_CAPABILITY", "70");
  EXPECT_THAT(why_unsupported(query(0)), HasSubstr("compute capability 7.0"));
  environment.set("POLYHEAD_NCCL_DOUBLE_CAPABILITY", "75");
  EXPECT_EQ(why_unsupported(query(0)), "");
}

}  // namespace
}  // namespace polyhead::device
