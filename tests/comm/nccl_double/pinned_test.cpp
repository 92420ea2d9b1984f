#include "polyhead/device/pinned.hpp"

#include <cstdlib>
#include <memory>
#include <new>
#include <thread>

#include <gmock/gmock.h>

#include "polyhead/base/error.hpp"
#include "stream.hpp"

namespace polyhead::device {
namespace {

/// A thread that begins has GPU 0 selected, whichever its rank computes on.
TEST(PinnedMemory, IsTakenWithItsOwnGpuSelected) {
  setenv("POLYHEAD_NCCL_DOUBLE_GPUS", "2", 1);
  std::thread([] {
    ASSERT_EQ(nccl_double::current_device(), 0);
    std::pmr::memory_resource* memory = pinned_memory(1);
    void* taken = memory->allocate(100);
    EXPECT_EQ(nccl_double::current_device(), 1);
    memory->deallocate(taken, 100);
    EXPECT_NE(pinned_memory(0), memory);
    EXPECT_EQ(pinned_memory(1), memory);
  }).join();
}

/// Taking 100 bytes for GPU 1 while `variable` says which number CUDA answers with.
void take_while(const char* variable, const char* error) {
  setenv("POLYHEAD_NCCL_DOUBLE_GPUS", "2", 1);
  std::pmr::memory_resource* memory = pinned_memory(1);
  setenv(variable, error, 1);
  const std::unique_ptr<const char, void (*)(const char*)> unset(variable,
                                                                 [](const char* name) { unsetenv(name); });
  static_cast<void>(memory->allocate(100));
}

TEST(PinnedMemory, ABusyOrBrokenGpuIsNoLackOfMemory) {
  using ::testing::AllOf;
  using ::testing::HasSubstr;
  using ::testing::Property;
  using ::testing::Throws;
  constexpr const char* kMemory = "2";        // of cudaError_t
  constexpr const char* kUnavailable = "46";  // another process has it for itself
  constexpr const char* kUncorrectable = "214";
  const auto lost = [](const char* text) {
    return Throws<Error>(
        AllOf(Property(&Error::code, ExitCode::unavailable), Property(&Error::what, HasSubstr(text))));
  };
  EXPECT_THAT([] { take_while("POLYHEAD_NCCL_DOUBLE_SELECT_ERROR", kUnavailable); },
              lost("cudaSetDevice(1) failed: CUDA error 46"));
  EXPECT_THAT([] { take_while("POLYHEAD_NCCL_DOUBLE_HOST_ERROR", kUncorrectable); },
              lost("cudaHostAlloc of 100 bytes for GPU 1 failed: CUDA error 214"));
  EXPECT_THROW(take_while("POLYHEAD_NCCL_DOUBLE_HOST_ERROR", kMemory), std::bad_alloc);
}

}  // namespace
}  // namespace polyhead::device
