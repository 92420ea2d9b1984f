#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace polyhead {

/// The numbers of the cores that this process may run on (sched_getaffinity), ascending.
std::vector<int> affinity_cores();

/// How many cores' worth of time the cgroup grants (cgroup v2 `cpu.max`, v1 `cpu.cfs_quota_us`); empty
/// without a limit. `root` is where the cgroup file system is mounted, `self` the text of /proc/self/cgroup:
/// both given for tests.
std::optional<double> cgroup_cpu_quota(const std::string& root = "/sys/fs/cgroup",
                                       const std::string& self = "");

/// Bytes of memory that the cgroup grants (v2 `memory.max`, v1 `memory.limit_in_bytes`); empty without a
/// limit.
std::optional<std::uint64_t> cgroup_memory_limit(const std::string& root = "/sys/fs/cgroup",
                                                 const std::string& self = "");

/// Cores of this machine that are online.
int online_cores();

/// Processor model and the vector instruction sets that change results, as one line; part of the numerics
/// fingerprint.
std::string cpu_fingerprint();

}  // namespace polyhead
