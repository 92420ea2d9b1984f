#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "facts.hpp"
#include "polyhead/doctor/finding.hpp"

namespace polyhead::doctor {

/// MPI and how it was started.
Finding check_mpi(const StartFacts& facts);
/// A host that has not answered within `limit`.
Finding check_silent(const std::string& host, std::chrono::milliseconds limit);
/// GPUs, driver. `ranks_here`: ranks of the host.
Finding check_gpu(const GpuFacts& facts, int ranks_here);
Finding check_nccl(const GpuFacts& facts);
/// `hosts`: of the job.
Finding check_network(const NetworkFacts& facts, int hosts);
Finding check_fabric(const NetworkFacts& facts);
/// Processor and instruction sets, which decide the last bits of results. `fingerprint`: cpu_fingerprint().
Finding check_processor(const std::string& fingerprint);
Finding check_cores(const CoreFacts& facts, int ranks_here);
Finding check_memory(const LimitFacts& facts, int ranks_here);
/// /dev/shm, by which the ranks of a host talk.
Finding check_shared_memory(const LimitFacts& facts, int ranks_here);
/// Open files and locked memory. `fabric`: an active port of InfiniBand is there, which locks memory.
Finding check_limits(const LimitFacts& facts, bool fabric);
Finding check_output(const OutputFacts& facts);
/// `seconds`: by how much each host's clock is ahead of rank 0's.
Finding check_clock(const std::vector<double>& seconds);

}  // namespace polyhead::doctor
