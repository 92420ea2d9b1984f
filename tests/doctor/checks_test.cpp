#include "doctor/checks.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>

namespace polyhead::doctor {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;
constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

/// A machine on which all is well.
LimitFacts good_limits() {
  return {65536, kUnlimited, 64 * kGiB, std::nullopt, 8 * kGiB};
}

OutputFacts good_output() {
  OutputFacts facts;
  facts.folder = "/data";
  facts.file_system = "ext4";
  facts.free = 100 * kGiB;
  return facts;
}

void expect(const Finding& found, Verdict verdict, const std::string& text, const std::string& advice) {
  EXPECT_EQ(found.verdict, verdict) << found.text;
  EXPECT_THAT(found.text, HasSubstr(text));
  EXPECT_THAT(found.advice, advice.empty() ? testing::Matcher<std::string>(IsEmpty()) : HasSubstr(advice));
}

TEST(CheckMpi, HowItWasStarted) {
  StartFacts facts{"Open MPI v4.1.4, package: Debian", 4, 2, 2, true, false};
  expect(check_mpi(facts), Verdict::ok, "Open MPI v4.1.4, thread level multiple; 4 ranks on 2 hosts", "");
  facts.root_refused = true;
  expect(check_mpi(facts), Verdict::note, "", "mpirun refuses root: start with launch/mpirun.sh");
  facts.mpirun_found = false;
  expect(check_mpi(facts), Verdict::note, "", "mpirun is not in PATH");
  facts.ranks = 1;
  facts.wrong_launcher = "Slurm's srun has started 4 processes";
  expect(check_mpi(facts), Verdict::problem, "", "Slurm's srun has started 4 processes");
}

TEST(CheckSilent, SaysWhatMayHang) {
  expect(check_silent("node7", std::chrono::seconds(30)), Verdict::problem,
         "node7 has not answered within 30 s", "nvidia-smi");
}

TEST(CheckGpu, EnoughForTheRanks) {
  GpuFacts facts{{"A100, 80 GiB", "A100, 80 GiB"}, "", "driver 550", "2.30.7", "", config::Device::automatic};
  expect(check_gpu(facts, 2), Verdict::ok, "2 GPUs: A100, 80 GiB; A100, 80 GiB; driver 550", "");
  expect(check_gpu(facts, 3), Verdict::note, "", "3 ranks share 2 GPUs");
  facts.wanted = config::Device::cpu;
  expect(check_gpu(facts, 3), Verdict::ok, "", "");
}

TEST(CheckGpu, OneWithoutKernelsIsAProblemUnlessCpusAreWanted) {
  GpuFacts facts{{"Tesla V100, 16 GiB"},    "",       "driver 580", "2.30.7", "",
                 config::Device::automatic, "too old"};
  expect(check_gpu(facts, 1), Verdict::problem, "1 GPU: Tesla V100, 16 GiB", "too old");
  facts.wanted = config::Device::cpu;
  expect(check_gpu(facts, 1), Verdict::ok, "", "");
}

TEST(CheckGpu, AnInstanceOfMigIsAllThatAProcessSees) {
  GpuFacts facts{{"NVIDIA A100-SXM4-40GB MIG 1g.5gb, 4.7 GiB"},
                 "",
                 "driver 580",
                 "2.30.7",
                 "",
                 config::Device::automatic};
  expect(check_gpu(facts, 1), Verdict::ok, "1 GPU: NVIDIA A100-SXM4-40GB MIG 1g.5gb, 4.7 GiB", "");
  expect(check_gpu(facts, 2), Verdict::note, "", "give each rank its own in CUDA_VISIBLE_DEVICES");
}

TEST(CheckGpu, ThereIsNone) {
  GpuFacts facts;
  facts.why_none = "no driver";
  expect(check_gpu(facts, 1), Verdict::ok, "none: no driver; ranks compute on CPUs", "");
  facts.wanted = config::Device::cuda;
  expect(check_gpu(facts, 1), Verdict::problem, "none: no driver", "parallel.device is cuda");
}

TEST(CheckNccl, MattersWhereThereAreGpus) {
  GpuFacts facts{{"A", "B"}, "", "", "2.30.7", "", config::Device::automatic};
  expect(check_nccl(facts), Verdict::ok, "NCCL 2.30.7", "");
  facts.nccl = "";
  expect(check_nccl(facts), Verdict::note, "libnccl.so.2 cannot be loaded", "ranks exchange over MPI");
  facts.gpus.clear();
  facts.why_no_nccl = "built without NCCL";
  expect(check_nccl(facts), Verdict::ok, "built without NCCL", "");
}

TEST(CheckNetwork, OtherHostsCanBeReached) {
  NetworkFacts facts{{{"lo", "127.0.0.1", true, 0}}, {}};
  expect(check_network(facts, 1), Verdict::ok, "only the loopback device", "");
  expect(check_network(facts, 2), Verdict::problem, "only the loopback device",
         "no other host can be reached");
  facts.interfaces.push_back({"eth0", "10.0.0.5", false, 25000});
  expect(check_network(facts, 2), Verdict::ok, "1 interface", "");
  EXPECT_EQ(check_network(facts, 2).detail, "eth0 10.0.0.5 (25 Gb/s)");
  facts.interfaces.push_back({"docker0", "172.17.0.1", false, 0});
  expect(check_network(facts, 1), Verdict::ok, "1 interface, and docker0", "");
  expect(check_network(facts, 2), Verdict::note, "", "--mca btl_tcp_if_exclude lo,docker0");
}

TEST(CheckFabric, PortsAsTheKernelShowsThem) {
  const auto root = std::filesystem::path(testing::TempDir()) / "polyhead-doctor-fabric";
  const auto port = root / "mlx5_0/ports/1";
  std::filesystem::create_directories(port);
  std::ofstream(port / "state") << "4: ACTIVE\n";
  std::ofstream(port / "rate") << "200 Gb/sec (4X HDR)\n";
  expect(check_fabric({{}, fabric(root)}), Verdict::ok, "mlx5_0 port 1 at 200 Gb/sec (4X HDR)", "");
  std::ofstream(port / "state") << "1: DOWN\n";
  expect(check_fabric({{}, fabric(root)}), Verdict::note, "1 port, none active", "fall back to Ethernet");
  std::filesystem::remove_all(root);
  expect(check_fabric({{}, fabric(root)}), Verdict::ok, "none", "");
}

TEST(CheckCores, RanksFitOn) {
  expect(check_cores({8, 8, std::nullopt}, 8), Verdict::ok, "8 of 8 usable, for 8 ranks", "");
  expect(check_cores({8, 8, std::nullopt}, 9), Verdict::note, "", "ranks take turns on the cores");
  expect(check_cores({8, 8, 2.5}, 3), Verdict::note, "the cgroup grants 2.5", "ranks take turns");
  expect(check_cores({8, 1, std::nullopt}, 2), Verdict::note, "1 of 8 usable", "--bind-to none");
}

TEST(CheckMemory, TheSmallerOfMachineAndCgroup) {
  LimitFacts facts = good_limits();
  expect(check_memory(facts, 4), Verdict::ok, "enough", "");
  facts.memory_granted = kGiB;
  expect(check_memory(facts, 4), Verdict::note, "1.0 GiB for 4 ranks", "start fewer ranks");
  expect(check_memory(facts, 5), Verdict::problem, "1.0 GiB for 5 ranks", "start fewer ranks");
}

TEST(CheckLimits, FilesMemoryAndSegments) {
  LimitFacts facts = good_limits();
  expect(check_limits(facts, true), Verdict::ok, "65536 open files, unlimited of locked memory", "");
  facts.locked = 8 << 20;
  expect(check_limits(facts, false), Verdict::ok, "8.0 MiB of locked memory", "");
  expect(check_limits(facts, true), Verdict::note, "", "memlock unlimited");
  facts.files = 256;
  expect(check_limits(facts, false), Verdict::note, "256 open files", "ulimit -n 4096");
  facts.shared = 1 << 20;
  expect(check_shared_memory(facts, 1), Verdict::note, "1.0 MiB free", "--shm-size");
  expect(check_shared_memory(facts, 2), Verdict::problem, "wanted for 2 ranks", "--shm-size");
}

TEST(CheckOutput, WhatTheFileSystemCannotDo) {
  OutputFacts facts = good_output();
  expect(check_output(facts), Verdict::ok, "/data on ext4", "");
  const auto with = [&](auto change) {
    facts = good_output();
    change();
    return check_output(facts);
  };
  expect(with([&] { facts.create = EACCES; }), Verdict::problem, "",
         "no file can be made there (Permission denied)");
  expect(with([&] { facts.sync = EIO; }), Verdict::problem, "", "cannot be written to (Input/output error)");
  expect(with([&] { facts.free = 1000; }), Verdict::problem, "", "the disk is full");
  expect(with([&] { facts.free = kGiB / 2; }), Verdict::note, "", "little space is free");
  expect(with([&] { facts.lock = ENOLCK; }), Verdict::note, "", "no locks");
  expect(with([&] { facts.reserve = EOPNOTSUPP; }), Verdict::note, "", "space cannot be reserved");
  expect(with([&] { facts.file_system = "tmpfs"; }), Verdict::note, "on tmpfs", "it lies in memory");
  expect(with([&] { facts.sync_time = std::chrono::seconds(2); }), Verdict::note, "", "syncs are slow");
  const auto all_write_to_nfs = [&] {
    facts.file_system = "nfs";
    facts.all_write = true;
  };
  expect(with(all_write_to_nfs), Verdict::note, "on nfs", "prefer coordinator");
}

TEST(OutputFacts, LeaveNothingBehind) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "polyhead-doctor-output";
  std::filesystem::create_directories(folder);
  const OutputFacts facts = output_facts(folder / "not/yet/result.h5", config::Writers::coordinator);
  EXPECT_EQ(facts.folder, folder);
  EXPECT_EQ(facts.create, 0);
  EXPECT_EQ(facts.sync, 0);
  EXPECT_GT(facts.free, 0U);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove_all(folder);
}

TEST(OutputFacts, AFolderThatTakesNoFiles) {
  EXPECT_NE(output_facts("/proc/result.h5", config::Writers::coordinator).create, 0);
}

TEST(CheckClock, HostsThatDisagree) {
  expect(check_clock({0}), Verdict::ok, "one host", "");
  expect(check_clock({0, 0.5, -1}), Verdict::ok, "the hosts' clocks agree", "");
  expect(check_clock({0, 3.5, -1}), Verdict::note, "differ by 4.5 s", "NTP");
}

TEST(Facts, ReadFromTheSystem) {
  EXPECT_EQ(available_memory("MemTotal: 10 kB\nMemAvailable:   2048 kB\n"), 2048U * 1024);
  EXPECT_EQ(available_memory(""), 0U);
  EXPECT_EQ(file_system_name(0xEF53), "ext4");
  EXPECT_EQ(file_system_name(0x1234), "0x1234");
  EXPECT_GT(limit_facts().memory, 0U);
  EXPECT_THAT(interfaces(), testing::Contains(testing::Field(&Interface::loopback, true)));
}

}  // namespace
}  // namespace polyhead::doctor
