#include "polyhead/base/cpu.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace polyhead {
namespace {

namespace fs = std::filesystem;

class CgroupQuota : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "polyhead-cgroup-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(root_); }
  void write(const fs::path& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  fs::path root_;
};

TEST_F(CgroupQuota, Version2) {
  write("job/cpu.max", "150000 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(root_, "0::/job\n"), 1.5);
}

TEST_F(CgroupQuota, Version2TakesTheTightestOfAllLevels) {
  write("a/cpu.max", "200000 100000\n");
  write("a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(root_, "0::/a/b\n"), 2.0);
}

TEST_F(CgroupQuota, Version1) {
  write("cpu/job/cpu.cfs_quota_us", "300000\n");
  write("cpu/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_cpu_quota(root_, "5:memory:/x\n4:cpu,cpuacct:/job\n0::/\n"), 3.0);
}

TEST_F(CgroupQuota, OfMemory) {
  write("a/memory.max", "8589934592\n");
  write("a/b/memory.max", "max\n");
  EXPECT_EQ(cgroup_memory_limit(root_, "0::/a/b\n"), std::uint64_t{8} << 30U);
  write("memory/job/memory.limit_in_bytes", "1073741824\n");
  write("memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(cgroup_memory_limit(root_, "5:memory:/job\n"), std::uint64_t{1} << 30U);
  EXPECT_EQ(cgroup_memory_limit(root_, "0::/b\n"), std::nullopt);
  EXPECT_EQ(cgroup_memory_limit(root_, "5:memory:/other\n"), std::nullopt);
}

TEST_F(CgroupQuota, NoLimit) {
  write("job/cpu.max", "max 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(root_, "0::/job\n"), std::nullopt);
  EXPECT_EQ(cgroup_cpu_quota(root_, "nonsense\n"), std::nullopt);
}

TEST(Affinity, NamesThisProcessesCores) {
  const auto cores = affinity_cores();
  ASSERT_FALSE(cores.empty());
  EXPECT_LE(static_cast<int>(cores.size()), online_cores());
}

TEST(CpuFingerprint, NamesTheModel) {
  EXPECT_GT(cpu_fingerprint().size(), 3U);
  EXPECT_TRUE(has_fused_multiply_add("AMD EPYC; avx fma avx2"));
  EXPECT_FALSE(has_fused_multiply_add("AMD EPYC; avx avx2"));
  EXPECT_FALSE(has_fused_multiply_add("AMD FX; avx fma"));
  EXPECT_EQ(cpu_of_libraries(), cpu_of_libraries());
  EXPECT_EQ(cpu_of_libraries().find("model"), std::string::npos);
}

}  // namespace
}  // namespace polyhead
