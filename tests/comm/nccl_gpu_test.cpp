#include <thread>

#include <gtest/gtest.h>

#include "pending_conformance.hpp"
#include "polyhead/comm/local.hpp"
#include "polyhead/comm/nccl.hpp"
#include "polyhead/device/cuda.hpp"

namespace polyhead::comm {
namespace {

using namespace std::chrono_literals;

TEST(Nccl, WithoutAGpuIsAnErrorOfTheConfiguration) {
  if (device::device_count() > 0) GTEST_SKIP() << "there is a CUDA device";
  LocalWorld world(1);
  try {
    make_nccl(*world.collectives(0), 0, 1s);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
  }
}

TEST(GpuNccl, CollectivesBetweenTwoGpus) {
  if (device::device_count() < 2) GTEST_SKIP() << "fewer than two CUDA devices";
  LocalWorld world(2, 120s);
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < 2; ++rank) {
    threads.emplace_back([&, rank] {
      const auto nccl = make_nccl(*world.collectives(rank), rank, 60s);
      conformance::run_all_cases(*nccl);
    });
  }
}

TEST(GpuNccl, ARankThatNeverCallsEndsTheWait) {
  if (device::device_count() < 2) GTEST_SKIP() << "fewer than two CUDA devices";
  LocalWorld world(2, 120s);
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < 2; ++rank) {
    threads.emplace_back([&, rank] {
      const auto nccl = make_nccl(*world.collectives(rank), rank, 20s);
      if (rank == 1) return;
      EXPECT_THROW(nccl->barrier(), Error);
    });
  }
}

}  // namespace
}  // namespace polyhead::comm
