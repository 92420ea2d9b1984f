#include "run/setup/device_assignment.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support.hpp"
#include "polyhead/comm/local.hpp"
#include "polyhead/device/cuda.hpp"

namespace polyhead::run {
namespace {

using ::testing::HasSubstr;

TEST(GatherCores, TellsThisRanksCores) {
  comm::LocalWorld world(1);
  const auto ranks = gather_cores(*world.collectives(0), "alpha");
  ASSERT_EQ(ranks.size(), 1U);
  EXPECT_EQ(ranks[0].host, "alpha");
  EXPECT_FALSE(ranks[0].cores.empty());
}

TEST(ChoosePlacement, ThreadsComeFromTheCoresUnlessSet) {
  const std::vector<plan::RankCores> ranks{{"a", {0, 1, 2, 3}, {}}, {"a", {0, 1, 2, 3}, {}}};
  config::Parallel parallel;
  parallel.device = config::Device::cpu;
  EXPECT_EQ(assign_device(ranks, 1, 1, parallel).threads, 2);
  parallel.threads = 7;
  EXPECT_EQ(assign_device(ranks, 1, 1, parallel).threads, 7);
  EXPECT_FALSE(assign_device(ranks, 1, 1, parallel).cuda);
}

TEST(ChoosePlacement, AGpuThatIsAskedForAndNotThereIsExplained) {
  if (device::device_count() > 0) return;  // it is there
  config::Parallel parallel;
  parallel.device = config::Device::cuda;
  const auto [code, text] = polyhead::testing::error_of([&] {
    return assign_device({{"a", {0}, {}}}, 0, 0, parallel);
  });
  EXPECT_EQ(code, ExitCode::config);
  EXPECT_THAT(text, HasSubstr("no GPU can be used on this host: " + device::why_no_device()));
}

TEST(WhyGpuUnused, SpeaksUpWhereTheSystemShowsOne) {
  const polyhead::testing::TemporaryFolder module;
  const polyhead::testing::TemporaryFolder node;
  std::filesystem::create_directories(module / "proc/driver/nvidia");
  static_cast<void>(module.write("proc/driver/nvidia/version", "NVRM version\n"));
  std::filesystem::create_directories(node / "dev");
  static_cast<void>(node.write("dev/nvidia0", ""));
  config::Parallel parallel;
  model::DeviceAssignment assignment;
  for (const std::filesystem::path& root : {module.path(), node.path()}) {
    EXPECT_EQ(why_gpu_unused(parallel, assignment, root), device::why_no_device());
  }
  const polyhead::testing::TemporaryFolder none;
  EXPECT_EQ(why_gpu_unused(parallel, assignment, none.path()), "");
  parallel.device = config::Device::cpu;
  EXPECT_EQ(why_gpu_unused(parallel, assignment, node.path()), "");
  parallel.device = config::Device::automatic;
  assignment.cuda = true;
  EXPECT_EQ(why_gpu_unused(parallel, assignment, node.path()), "");
}

TEST(GatherUnusedGpus, NamesHostsAndReasonsOnce) {
  comm::LocalWorld world(4);
  const std::vector<std::string> hosts{"b", "a", "a", "c"};
  const std::vector<std::string> reasons{"no driver", "no driver", "no driver", ""};
  std::vector<std::thread> ranks;
  for (int rank = 0; rank < 4; ++rank) {
    ranks.emplace_back([&, rank] {
      const auto i = static_cast<std::size_t>(rank);
      EXPECT_EQ(gather_unused_gpus(*world.collectives(rank), hosts[i], reasons[i]), "a, b: no driver");
    });
  }
  for (std::thread& rank : ranks) rank.join();
  comm::LocalWorld alone(1);
  EXPECT_EQ(gather_unused_gpus(*alone.collectives(0), "a", ""), "");
}

TEST(IdleCoresWarning, SpeaksUpWhenMpirunBindsRanksToSingleCores) {
  const std::vector<plan::RankCores> bound{{"a", {0}, {}}, {"a", {1}, {}}};
  EXPECT_THAT(idle_cores_warning(bound, 1, 64), HasSubstr("2 of 64 cores of a are used"));
  EXPECT_THAT(idle_cores_warning(bound, 1, 64), HasSubstr("--bind-to none"));
  EXPECT_EQ(idle_cores_warning(bound, 1, 2), "");
}

TEST(IdleCoresWarning, AQuotaIsNoMistake) {
  EXPECT_EQ(idle_cores_warning({{"a", {0, 1, 2, 3}, 1.0}}, 1, 64), "");
}

}  // namespace
}  // namespace polyhead::run
