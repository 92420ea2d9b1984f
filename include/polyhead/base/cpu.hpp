#pragma once

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

/// Cores of this machine that are online.
int online_cores();

/// Processor model and the vector instruction sets that change results, as one line; part of the numerics
/// fingerprint.
std::string cpu_fingerprint();

}  // namespace polyhead
