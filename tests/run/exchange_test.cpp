#include "run/setup/exchange.hpp"

#include <gtest/gtest.h>

namespace polyhead::run {
namespace {

TEST(DescribeExchange, SaysWhatCarriesItAndWhy) {
  comm::Group group;
  group.choice = {comm::Backend::nccl, "each rank has a GPU of its own"};
  group.gpus = {"GPU-1", "GPU-2"};
  EXPECT_EQ(describe_exchange(group), "ranks exchange over NCCL: each rank has a GPU of its own");
  group.choice = {comm::Backend::mpi, "no rank computes on a GPU"};
  group.gpus = {"", ""};
  EXPECT_EQ(describe_exchange(group), "ranks exchange over MPI: no rank computes on a GPU");
}

TEST(DescribeExchange, RanksOnGpusSendFromPageLockedMemory) {
  comm::Group group;
  group.choice = {comm::Backend::mpi, "ranks 0 and 1 on a share the GPU GPU-1"};
  group.gpus = {"GPU-1", "GPU-1"};
  EXPECT_EQ(describe_exchange(group),
            "ranks exchange over MPI, through page-locked memory: ranks 0 and 1 on a share the GPU GPU-1");
}

}  // namespace
}  // namespace polyhead::run
