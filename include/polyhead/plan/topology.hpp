#pragma once

#include <algorithm>
#include <cstdint>

namespace polyhead::plan {

/// What a message costs between two ranks.
struct Link {
  double bytes_per_second = 0;
  double latency = 0;  ///< seconds
};

/// What one rank computes with: a GPU, or its share of a node's cores.
struct Processor {
  bool gpu = false;
  double flops = 0;               ///< FLOP/s that the backbone reaches (not the peak)
  double head_flops = 0;          ///< FLOP/s that large linear layers reach
  double weights_per_second = 0;  ///< bytes/s at which the weights of small linear layers are read
  double step_seconds = 0;        ///< to start one step of a head (a layer)
  double score_seconds = 0;       ///< on the host, to fuse one score of one head
  std::uint64_t memory = 0;       ///< bytes of a GPU; 0: the backbone lives in the host's memory
};

/// How a rank gets its images.
struct Reading {
  int workers = 1;               ///< threads that read and decode
  double images_per_second = 0;  ///< of one of them, on a core of its own
  double cores = 1;              ///< that they have: more threads than that are no faster
  bool shares_cores = false;     ///< the threads take their time from the processor's

  /// Cores that read when nothing else is done. Threads that share the processor's cores may use all of them.
  [[nodiscard]] double threads() const {
    return shares_cores ? cores : std::min(static_cast<double>(workers), cores);
  }
};

/// What rank 0 can take in.
struct Keeping {
  double bytes_per_second = 0;         ///< writing of the result file
  double seconds_per_micro_batch = 0;  ///< to lease, receive and enter one
};

/// Memory that a process takes before it has a model, in bytes.
struct ProcessMemory {
  std::uint64_t host = 0;
  std::uint64_t gpu = 0;  ///< context, kernels, workspaces
};

/// The machines of a job: equal ranks on equal nodes. (Ranks of unequal speed are evened out by leases while
/// the job runs.)
struct Topology {
  int ranks = 1;
  int ranks_per_node = 1;
  Processor processor;
  Reading reading;
  Keeping keeping;
  double contention = 1;  ///< how much longer reading and computing take when they are done at once
  ProcessMemory process;
  std::uint64_t host_memory = 0;  ///< bytes of a node, for all its ranks
  Link inside;                    ///< between ranks of one node
  Link between;                   ///< between nodes
  double startup_seconds = 0;     ///< of a process, until ranks know their first micro-batches
  double equip_seconds = 0;       ///< from then on until it can compute, without the transfer of weights

  [[nodiscard]] int nodes() const { return (ranks + ranks_per_node - 1) / ranks_per_node; }
  /// Ranks that share a node's memory.
  [[nodiscard]] int neighbours() const { return std::min(ranks, ranks_per_node); }
};

}  // namespace polyhead::plan
