#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "polyhead/config/config.hpp"

namespace polyhead::doctor {

/// Start of this process.
struct StartFacts {
  std::string library;  ///< "Open MPI v4.1.4, ..."
  int ranks = 1;
  int hosts = 1;
  int ranks_here = 1;
  bool mpirun_found = false;
  bool root_refused = false;     ///< mpirun would refuse to start anything for this user
  std::string wrong_launcher{};  ///< advice where another MPI's launcher has started this process; else empty
};

struct GpuFacts {
  std::vector<std::string> gpus;  ///< "NVIDIA A100-SXM4-80GB, 79.2 GiB"
  std::string why_none;
  std::string driver;
  std::string nccl;  ///< its version; empty when it cannot be loaded
  std::string why_no_nccl;
  config::Device wanted = config::Device::automatic;
  std::string why_unsupported{};  ///< reason why LibTorch has no kernels for one of them
};

struct Interface {
  std::string name;
  std::string address;  ///< "10.0.0.5"
  bool loopback = false;
  std::int64_t mbits = 0;  ///< 0: not known
};

/// A port of InfiniBand or RoCE.
struct FabricPort {
  std::string name;  ///< "mlx5_0 port 1"
  bool active = false;
  std::string rate;  ///< "200 Gb/sec (4X HDR)"
};

struct NetworkFacts {
  std::vector<Interface> interfaces;
  std::vector<FabricPort> fabric;
};

struct CoreFacts {
  int online = 1;
  int allowed = 1;              ///< cores, by this process's affinity
  std::optional<double> quota;  ///< cores' worth of time, by the cgroup
};

struct LimitFacts {
  std::uint64_t files = 0;                      ///< ulimit -n
  std::uint64_t locked = 0;                     ///< bytes, ulimit -l
  std::uint64_t memory = 0;                     ///< bytes that are free on the machine
  std::optional<std::uint64_t> memory_granted;  ///< bytes, by the cgroup
  std::uint64_t shared = 0;                     ///< bytes that are free in /dev/shm
};

/// Folder of the output, or its nearest ancestor that exists. Error numbers are 0 where the call worked.
struct OutputFacts {
  std::filesystem::path folder;
  std::string file_system;  ///< "ext4"
  std::uint64_t free = 0;   ///< bytes
  int create = 0;
  int reserve = 0;  ///< errno of fallocate
  int lock = 0;     ///< errno of flock
  int sync = 0;     ///< errno of fdatasync
  std::chrono::duration<double> sync_time{0};
  bool all_write = false;  ///< output.writers: all
};

/// Interfaces of /sys/class/net and the addresses of this host, one entry per IPv4 address.
std::vector<Interface> interfaces();
/// Ports found in `root`, which is a parameter for tests.
std::vector<FabricPort> fabric(const std::filesystem::path& root = "/sys/class/infiniband");
/// `MemAvailable` of the text of /proc/meminfo, in bytes; 0 where there is none.
std::uint64_t available_memory(const std::string& meminfo);
/// Name of a file system: "ext4", "nfs"; "0x1234" for one without a name here. `type`: from statfs.
std::string file_system_name(std::uint64_t type);

GpuFacts gpu_facts(config::Device wanted);
CoreFacts core_facts();
LimitFacts limit_facts();
/// Makes a nameless file in the folder and tries what a run will do with its output.
OutputFacts output_facts(const std::filesystem::path& output, config::Writers writers);

}  // namespace polyhead::doctor
