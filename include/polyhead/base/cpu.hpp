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

/// Processor model and vector instruction sets, as one line, for people; and for result files of the former
/// form whose fingerprint holds it.
std::string cpu_fingerprint();

/// What numerical libraries choose their fp32 kernels by, as one line: vendor, vector instruction sets, sizes
/// of the first core's own caches. "AuthenticAMD avx fma avx2, caches 32K 512K".
std::string cpu_of_libraries();

/// Whether the line of a processor (`cpu_fingerprint`) names all that glibc asks for before it takes the
/// functions with fused multiply-add.
bool has_fused_multiply_add(const std::string& processor);

}  // namespace polyhead
