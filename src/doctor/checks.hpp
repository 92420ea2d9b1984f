#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "facts.hpp"
#include "polyhead/doctor/finding.hpp"

namespace polyhead::doctor {

/// Checks MPI and how it was started.
Finding check_mpi(const StartFacts& facts);
/// Reports a host that has not answered within `limit`.
Finding check_silent(const std::string& host, std::chrono::milliseconds limit);
/// Checks GPUs and driver. `ranks_here`: ranks of the host.
Finding check_gpu(const GpuFacts& facts, int ranks_here);
Finding check_nccl(const GpuFacts& facts);
/// `hosts`: number of hosts of the job.
Finding check_network(const NetworkFacts& facts, int hosts);
Finding check_fabric(const NetworkFacts& facts);
/// Reports processor and instruction sets, which decide the last bits of results. `fingerprint`:
/// cpu_fingerprint().
Finding check_processor(const std::string& fingerprint);
Finding check_cores(const CoreFacts& facts, int ranks_here);
Finding check_memory(const LimitFacts& facts, int ranks_here);
/// Checks /dev/shm, through which the ranks of a host communicate.
Finding check_shared_memory(const LimitFacts& facts, int ranks_here);
/// Checks the limits of open files and locked memory. `fabric`: an InfiniBand port is active, which locks
/// memory.
Finding check_limits(const LimitFacts& facts, bool fabric);
Finding check_output(const OutputFacts& facts);
/// `seconds`: lead of each host's clock over rank 0's.
Finding check_clock(const std::vector<double>& seconds);

}  // namespace polyhead::doctor
