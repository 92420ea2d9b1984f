#include "polyhead/device/pinned.hpp"

#include <cstdint>
#include <memory_resource>
#include <vector>

#include <gtest/gtest.h>

#include "polyhead/base/aligned.hpp"

namespace polyhead::device {
namespace {

void expect_aligned_and_writable(std::pmr::memory_resource* memory) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, std::size_t{1} << 22U}) {
    std::pmr::vector<std::uint8_t> bytes(size, std::uint8_t{7}, memory);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % kAlignment, 0U);
    EXPECT_EQ(bytes.back(), 7);
  }
}

TEST(PinnedMemory, IsAlignedAndWritable) {
  expect_aligned_and_writable(pinned_memory(0));
}

TEST(OrdinaryMemory, IsAlignedAndWritable) {
  expect_aligned_and_writable(ordinary_memory());
}

}  // namespace
}  // namespace polyhead::device
