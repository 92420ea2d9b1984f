#include "polyhead/device/pinned.hpp"

#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace polyhead::device
