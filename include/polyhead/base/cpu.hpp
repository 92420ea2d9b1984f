#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace polyhead {

/// Numbers of the cores that this process may run on (sched_getaffinity), ascending.
std::vector<int> affinity_cores();

/// Cores' worth of time that the cgroup grants (cgroup v2 `cpu.max`, v1 `cpu.cfs_quota_us`); empty without a
/// limit. Both parameters exist for tests: `root` is the mount point of the cgroup file system, `self` the
/// text of /proc/self/cgroup.
std::optional<double> cgroup_cpu_quota(const std::string& root = "/sys/fs/cgroup",
                                       const std::string& self = "");

/// Bytes of memory that the cgroup grants (v2 `memory.max`, v1 `memory.limit_in_bytes`); empty without a
/// limit.
std::optional<std::uint64_t> cgroup_memory_limit(const std::string& root = "/sys/fs/cgroup",
                                                 const std::string& self = "");

/// Cores of this machine that are online.
int online_cores();

/// Processor model and vector instruction sets, as one line for people. The fingerprint of result files of
/// the former form holds it, too.
std::string cpu_fingerprint();

/// Properties by which numerical libraries choose their fp32 kernels, as one line: vendor, vector instruction
/// sets, sizes of the first core's own caches. "AuthenticAMD avx fma avx2, caches 32K 512K".
std::string cpu_of_libraries();

/// Whether a processor's line (`cpu_fingerprint`) names all that glibc requires for its functions with fused
/// multiply-add.
bool has_fused_multiply_add(const std::string& processor);

}  // namespace polyhead
